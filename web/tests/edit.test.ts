import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { add, blank, branchOf, change, connect, copy, move, newKey, paste, remove, renamePort, tidy } from "../src/graph/edit.ts";
import { START, type StepOf } from "../src/graph/types.ts";
import { order, targetOf } from "../src/graph/walk.ts";
import { AGAIN, BOOKING, END, GOAL, LETTER, TWO_WAYS, WEEK, put, recall } from "./drawn.ts";

test("a step at an open port is led to", () => {
  const { graph, key } = add(blank("New"), START, LETTER);
  equal(graph.start, key);
  deepEqual(graph.steps[key]?.ports, {});
});

test("a step on a way stands between: its main port leads on", () => {
  const { graph, key } = add(recall(), { step: "send", port: "next" }, WEEK);
  equal(targetOf(graph, { step: "send", port: "next" }), key);
  deepEqual(graph.steps[key]?.ports, { next: "wait_for" });
  const waited = add(recall(), { step: "send", port: "next" }, BOOKING);
  deepEqual(waited.graph.steps[waited.key]?.ports, { timeout: "wait_for" }, "what did not happen leads on, the booking is open");
});

test("a step before everything becomes the first one", () => {
  const { graph, key } = add(recall(), START, WEEK);
  equal(graph.start, key);
  deepEqual(graph.steps[key]?.ports, { next: "send" });
});

test("a repeat leads back to the step before it", () => {
  const { graph, key } = add(recall(), { step: "wait_for", port: "timeout" }, AGAIN);
  deepEqual(graph.steps[key]?.ports, { done: "exit", again: "wait_for" });
});

test("nothing but a repeat is drawn back", () => {
  const graph = put(recall(), { step: "wait_for", port: "timeout" }, WEEK);
  equal(connect(graph, { step: "wait", port: "next" }, "send"), graph);
  equal(targetOf(connect(graph, { step: "wait", port: "next" }, "goal"), { step: "wait", port: "next" }), "goal");
});

test("a way is taken away", () => {
  const graph = connect(recall(), { step: "wait_for", port: "happened" }, "");
  deepEqual(graph.steps["wait_for"]?.ports, { timeout: "exit" });
});

test("a step that is taken out closes the gap when one step comes after it", () => {
  equal(remove(recall(), ["send"]).start, "wait_for");
  const middle = put(recall(), { step: "send", port: "next" }, WEEK);
  deepEqual(remove(middle, ["wait"]).steps["send"]?.ports, { next: "wait_for" });
});

test("a step with several ways out leaves the way to it open", () => {
  const left = remove(recall(), ["wait_for"]);
  deepEqual(left.steps["send"]?.ports, {});
  ok("goal" in left.steps, "what came after it stays");
});

test("what names a step that is gone forgets it", () => {
  let graph = recall();
  graph = change(graph, "wait_for", { ...(graph.steps["wait_for"] as StepOf<"wait_for">), of_step: "send", since: "send" });
  const left = remove(graph, ["send"]).steps["wait_for"] as StepOf<"wait_for">;
  equal(left.of_step, undefined);
  equal(left.since, undefined);
  graph = put(recall(), { step: "wait_for", port: "timeout" }, { ...TWO_WAYS, cases: [{ port: "yes", when: {}, of_step: "send" }] } as typeof TWO_WAYS);
  deepEqual((remove(graph, ["send"]).steps["branch"] as StepOf<"branch">).cases, [{ port: "yes", when: {} }]);
});

test("a step goes with everything that only it leads to", () => {
  deepEqual(branchOf(recall(), "wait_for").toSorted(), ["exit", "goal", "wait_for"]);
  deepEqual(branchOf(recall(), "goal"), ["goal"]);
});

test("a port that a step has no more goes with its way", () => {
  const graph = put(put(recall(), { step: "wait_for", port: "timeout" }, TWO_WAYS), { step: "branch", port: "yes" }, WEEK);
  const branch = graph.steps["branch"] as StepOf<"branch">;
  deepEqual(Object.keys(branch.ports).toSorted(), ["else", "yes"]);
  deepEqual(change(graph, "branch", { ...branch, cases: [] }).steps["branch"]?.ports, { else: "exit" });
});

test("a way keeps its step under another name", () => {
  const graph = put(put(recall(), { step: "wait_for", port: "timeout" }, TWO_WAYS), { step: "branch", port: "yes" }, WEEK);
  const renamed = renamePort(graph, "branch", "yes", "may_text").steps["branch"] as StepOf<"branch">;
  equal(renamed.ports["may_text"], "wait");
  equal(renamed.cases[0]?.port, "may_text");
  equal(renamePort(graph, "branch", "yes", "else"), graph, "not the name of another way");
});

test("keys are never those that are there, nor that of the way in", () => {
  equal(newKey(["send", "send_2"], "send"), "send_3");
  equal(newKey([], "exit"), "exit");
});

test("a copy keeps the ways inside it and leaves those out of it behind", () => {
  const fragment = copy(recall(), ["wait_for", "goal"]);
  ok(fragment);
  equal(fragment.first, "wait_for");
  deepEqual(fragment.steps["wait_for"]?.ports, { happened: "goal" });
  equal(copy(recall(), []), undefined);
});

test("a copy is pasted under new keys, on the way that was chosen", () => {
  const fragment = copy(recall(), ["send"]);
  ok(fragment);
  const pasted = paste(recall(), fragment, { step: "send", port: "next" });
  deepEqual(pasted.keys, ["send_2"]);
  equal(pasted.graph.steps["send"]?.ports["next"], "send_2");
  equal(pasted.graph.steps["send_2"]?.ports["next"], "wait_for");
});

test("a pasted wait for a message means the pasted message", () => {
  const graph = change(recall(), "wait_for", { ...(recall().steps["wait_for"] as StepOf<"wait_for">), of_step: "send" });
  const fragment = copy(graph, ["send", "wait_for"]);
  ok(fragment);
  const { graph: grown } = paste(graph, fragment);
  equal((grown.steps["wait_for_2"] as StepOf<"wait_for">).of_step, "send_2");
});

test("an end is not pasted onto a way that leads on", () => {
  const fragment = copy(recall(), ["exit"]);
  ok(fragment);
  const { graph } = paste(recall(), fragment, { step: "send", port: "next" });
  equal(graph.steps["send"]?.ports["next"], "wait_for");
  ok("exit_2" in graph.steps);
});

test("steps that were moved stay there until they are laid out anew", () => {
  const moved = move(recall(), { send: [10, 20] });
  deepEqual(moved.layout, { send: [10, 20] });
  const grown = put(moved, { step: "send", port: "next" }, WEEK);
  ok(grown.layout?.["wait"], "a new step has a place too");
  equal(tidy(grown).layout, undefined);
  equal(remove(grown, ["wait"]).layout?.["wait"], undefined);
});

test("a list reads every step after those that lead to it", () => {
  const graph = put(recall(), { step: "wait_for", port: "timeout" }, TWO_WAYS);
  const read = order(graph);
  for (const [key, one] of Object.entries(graph.steps)) {
    for (const to of Object.values(one.ports)) ok(read.indexOf(key) < read.indexOf(to), `${key} before ${to}`);
  }
  deepEqual(order({ ...graph, start: "" }).length, Object.keys(graph.steps).length, "unreached steps are read too");
});

test("changes leave the graph that they began with alone", () => {
  const graph = recall();
  const before = JSON.stringify(graph);
  put(graph, { step: "send", port: "next" }, GOAL);
  remove(graph, ["wait_for"]);
  connect(graph, { step: "wait_for", port: "happened" }, "exit");
  paste(graph, copy(graph, ["send"]) ?? { first: "", steps: {} }, START);
  equal(JSON.stringify(graph), before);
});

test("an end after an end changes nothing", () => {
  equal(END.kind, "exit");
  equal(put(recall(), { step: "gone", port: "next" }, END).steps["send"]?.ports["next"], "wait_for");
});
