/** Conditions that a form can show, made of segment expressions and turned into them; others stay JSON. */

import type { ValueType } from "../server.ts";
import type { Rule, Tree } from "./types.ts";

/** A test of a value: an operator and what it takes. */
export interface Test {
  op: string;
  value: unknown;
}
export type Simple =
  | { about: "segment"; id: string }
  | { about: "field"; key: string; test: Test }
  | { about: "did" | "did_not"; kind: string; within: { [unit: string]: number } | undefined };
export interface Conditions {
  join: "all" | "any";
  rules: Simple[];
}

/** The operators that a kind of value is offered, with the words between the name and the value. */
export const OPERATORS: { [T in ValueType]: [string, string][] } = {
  text: [["in", "is any of"], ["contains", "contains"], ["starts_with", "starts with"], ["exists", "is known"]],
  code: [["in", "is any of"], ["exists", "is known"]],
  codes: [["has", "includes any of"], ["exists", "are known"]],
  records: [["exists", "are there"]],
  presence: [["exists", "is known"]],
  number: [["at_least", "is at least"], ["at_most", "is at most"], ["equal", "is"], ["exists", "is known"]],
  date: [
    ["within_last", "is within the last"], ["within_next", "is within the next"], ["older_than", "is longer ago than"],
    ["later_than", "is further ahead than"], ["exists", "is known"],
  ],
  instant: [["within_last", "is within the last"], ["older_than", "is longer ago than"]],
  bool: [["equal", "is"], ["exists", "is known"]],
};
const SPANS = new Set(["within_last", "within_next", "older_than", "later_than"]);
const LISTS = new Set(["in", "has"]);

/** What sort of value an operator takes. */
export function takes(op: string, type: ValueType): "yes" | "span" | "list" | "number" | "text" {
  if (op === "exists" || (op === "equal" && type === "bool")) return "yes";
  if (SPANS.has(op)) return "span";
  if (LISTS.has(op)) return "list";
  return type === "number" ? "number" : "text";
}

/** A test to begin with. */
export function newTest(type: ValueType): Test {
  const op = OPERATORS[type][0]?.[0] ?? "exists";
  return { op, value: firstValue(op, type) };
}

/** The value that an operator begins with. */
export function firstValue(op: string, type: ValueType): unknown {
  return { yes: true, span: { days: 30 }, list: [], number: 1, text: "" }[takes(op, type)];
}

/** The conditions that a form can show, none when the expression says more than that. */
export function shown(tree: Tree | undefined): Conditions | undefined {
  const where = tree?.where;
  if (where === undefined) return { join: "all", rules: [] };
  for (const join of ["all", "any"] as const) {
    const group = where[join];
    if (Array.isArray(group) && Object.keys(where).length === 1) {
      const rules = group.map((one) => simple(one as Rule));
      return rules.every((one) => one !== undefined) ? { join, rules: rules as Simple[] } : undefined;
    }
  }
  const one = simple(where);
  return one && { join: "all", rules: [one] };
}

function simple(rule: Rule): Simple | undefined {
  const { field, segment, did, did_not: not, at, ...rest } = rule;
  const others = Object.entries(rest);
  if (typeof segment === "string" && Object.keys(rule).length === 1) return { about: "segment", id: segment };
  if (typeof field === "string" && others.length === 1 && others[0]) {
    const [op, value] = others[0];
    if (op === "equal" && typeof value === "string") return { about: "field", key: field, test: { op: "in", value: [value] } };
    return Object.values(OPERATORS).some((ops) => ops.some(([known]) => known === op)) ? { about: "field", key: field, test: { op, value } } : undefined;
  }
  const kind = did ?? not;
  const single = Array.isArray(kind) && kind.length === 1 ? (kind[0] as unknown) : kind;
  if (typeof single === "string" && others.length === 0 && Object.keys(rule).length <= 2) {
    const within = at === undefined ? undefined : spanIn(at);
    if (at !== undefined && !within) return undefined;
    return { about: did === undefined ? "did_not" : "did", kind: single, within };
  }
  return undefined;
}

function spanIn(at: unknown): { [unit: string]: number } | undefined {
  const test = at as { within_last?: { [unit: string]: number } };
  return test.within_last && Object.keys(test).length === 1 ? test.within_last : undefined;
}

/** The expression of conditions; none for no condition at all. */
export function treeOf({ join, rules }: Conditions): Tree | undefined {
  const [first, ...more] = rules.map(ruleOf);
  if (!first) return undefined;
  return { version: 1, where: more.length ? { [join]: [first, ...more] } : first };
}

function ruleOf(rule: Simple): Rule {
  switch (rule.about) {
    case "segment":
      return { segment: rule.id };
    case "field":
      return { field: rule.key, [rule.test.op]: rule.test.value };
    default:
      return { [rule.about]: rule.kind, ...(rule.within ? { at: { within_last: rule.within } } : {}) };
  }
}

/** The kinds of events that an expression asks for, at any depth. */
export function eventsIn(tree: Tree | undefined): string[] {
  const found: string[] = [];
  const look = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(look);
    else if (node !== null && typeof node === "object") {
      for (const [word, inner] of Object.entries(node)) {
        if (word === "did" || word === "did_not") found.push(...[inner].flat().filter((one) => typeof one === "string"));
        else look(inner);
      }
    }
  };
  look(tree?.where);
  return found;
}
