import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { begin, commit, redo, undo } from "../src/graph/history.ts";

test("what was done is undone and done again", () => {
  const two = commit(commit(begin("a"), "b"), "c");
  equal(undo(two).present, "b");
  equal(undo(undo(two)).present, "a");
  equal(undo(undo(undo(two))).present, "a");
  equal(redo(undo(two)).present, "c");
  equal(redo(two).present, "c");
});

test("letters typed into one field are taken back at once", () => {
  const typed = ["w", "wa", "wait"].reduce((history, text) => commit(history, text, "title:send"), begin(""));
  equal(undo(typed).present, "");
  equal(undo(commit(typed, "x", "title:wait")).present, "wait");
});

test("a change after an undo forgets what was undone", () => {
  const changed = commit(undo(commit(begin("a"), "b")), "c");
  deepEqual(changed.future, []);
  equal(undo(changed).present, "a");
});

test("no change is no step", () => {
  const still = begin("a");
  equal(commit(still, "a"), still);
});
