/** A small journey to try things on: a letter, a wait for a booking, a goal or an end. */

import { add, blank } from "../src/graph/edit.ts";
import type { Graph, PortAt, Step } from "../src/graph/types.ts";
import { START } from "../src/graph/types.ts";

type Bare = Step extends infer S ? (S extends Step ? Omit<S, "title" | "ports"> : never) : never;
export const step = (does: Bare, title: string = does.kind): Step => ({ ...does, title, ports: {} }) as Step;

export const LETTER = step({ kind: "send", channel: "email", versions: {} });
export const BOOKING = step({ kind: "wait_for", event: { did: "appointment_booked" }, at_most: { days: 7 } });
export const WEEK = step({ kind: "wait", span: { days: 7 } });
export const GOAL = step({ kind: "goal" });
export const END = step({ kind: "exit" });
export const TWO_WAYS = step({ kind: "branch", cases: [{ port: "yes", when: { version: 1, where: { field: "email", exists: true } } }] });
export const AGAIN = step({ kind: "repeat", times: 2, interval: { days: 7 } });

export function put(graph: Graph, at: PortAt, one: Step): Graph {
  return add(graph, at, one).graph;
}

/** enter -> send -> wait_for -> (happened) goal, (timeout) exit */
export function recall(): Graph {
  let graph = put(blank("Recall"), START, LETTER);
  graph = put(graph, { step: "send", port: "next" }, BOOKING);
  graph = put(graph, { step: "wait_for", port: "happened" }, GOAL);
  return put(graph, { step: "wait_for", port: "timeout" }, END);
}
