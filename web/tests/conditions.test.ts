import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { eventsIn, shown, treeOf } from "../src/graph/conditions.ts";
import { portName } from "../src/fields/names.ts";
import type { Rule, Tree } from "../src/graph/types.ts";

const tree = (where: Rule): Tree => ({ version: 1, where });

test("what a form can show comes back the same", () => {
  for (const where of [
    { segment: "5f0c" },
    { field: "age", at_least: 50 },
    { did: "message_opened" },
    { all: [{ field: "language", in: ["es"] }, { did_not: "visit", at: { within_last: { days: 30 } } }] },
    { any: [{ segment: "a" }, { segment: "b" }] },
  ]) {
    const conditions = shown(tree(where));
    deepEqual(conditions && treeOf(conditions), tree(where));
  }
});

test("what says more than a form stays JSON", () => {
  for (const where of [
    { not: { segment: "a" } },
    { all: [{ any: [] }] },
    { record: "appointments", status: ["booked"] },
    { did: "visit", at_least: 3 },
    { did: ["visit", "discharge"] },
  ]) {
    equal(shown(tree(where)), undefined, JSON.stringify(where));
  }
});

test("no condition is none", () => {
  deepEqual(shown(undefined), { join: "all", rules: [] });
  equal(treeOf({ join: "any", rules: [] }), undefined);
});

test("the events that an expression asks for are found at any depth", () => {
  deepEqual(eventsIn(tree({ all: [{ not: { did: "visit" } }, { did_not: ["message_opened"] }] })), ["visit", "message_opened"]);
});

test("the name of a port is small letters, digits and _", () => {
  equal(portName("Yes, we may text!"), "yes_we_may_text");
  equal(portName("¿Español?"), "espanol");
  equal(portName("1. Ja"), "ja");
  equal(portName("---"), "");
});
