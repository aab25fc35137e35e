/** Which steps lead to which, and in which order a list reads best. */

import { portsOf } from "./ports.ts";
import { ENTER, type Graph, type PortAt } from "./types.ts";

export interface Way extends PortAt {
  to: string;
}

/** Where a port leads, "" when it leads nowhere. */
export function targetOf(graph: Graph, at: PortAt): string {
  const to = at.step === ENTER ? graph.start : (graph.steps[at.step]?.ports[at.port] ?? "");
  return to in graph.steps ? to : "";
}

/** Every drawn way, from the way in downwards, ports in their order. */
export function ways(graph: Graph): Way[] {
  const found: Way[] = [];
  const add = (at: PortAt): void => {
    const to = targetOf(graph, at);
    if (to) found.push({ ...at, to });
  };
  add({ step: ENTER, port: "start" });
  for (const [step, of] of Object.entries(graph.steps)) {
    for (const port of portsOf(of)) add({ step, port });
  }
  return found;
}

/** A `repeat` leads back by this port: no other way may. */
export function leadsBack(graph: Graph, at: PortAt): boolean {
  return at.port === "again" && graph.steps[at.step]?.kind === "repeat";
}

/** The steps that come after `key`, without going back; `key` itself is not among them. */
export function following(graph: Graph, key: string): Set<string> {
  return reach(key, neighbours(graph).after);
}

/** The steps that come before `key`, without going back. */
export function preceding(graph: Graph, key: string): Set<string> {
  return reach(key, neighbours(graph).before);
}

interface Neighbours {
  after: Map<string, string[]>;
  before: Map<string, string[]>;
}

/** Graphs never change, so what was found of one stays good. */
const known = new WeakMap<Graph, Neighbours>();

/** The steps next to each step, without the ways back and the way in; targets in the order of ports. */
function neighbours(graph: Graph): Neighbours {
  let found = known.get(graph);
  if (!found) {
    found = { after: new Map(), before: new Map() };
    for (const way of ways(graph)) {
      if (way.step === ENTER || leadsBack(graph, way)) continue;
      found.after.set(way.step, [...(found.after.get(way.step) ?? []), way.to]);
      found.before.set(way.to, [...(found.before.get(way.to) ?? []), way.step]);
    }
    known.set(graph, found);
  }
  return found;
}

function reach(from: string, next: Map<string, string[]>): Set<string> {
  const found = new Set<string>();
  const ahead = [...(next.get(from) ?? [])];
  while (ahead.length) {
    const here = ahead.pop() as string;
    if (found.has(here)) continue;
    found.add(here);
    ahead.push(...(next.get(here) ?? []));
  }
  return found;
}

/** The steps, each after those that lead to it; those that nothing leads to come last. */
export function order(graph: Graph): string[] {
  const done: string[] = [];
  const seen = new Set<string>();
  const walk = (key: string): void => {
    if (seen.has(key)) return;
    seen.add(key);
    for (const to of (neighbours(graph).after.get(key) ?? []).toReversed()) walk(to);
    done.push(key);
  };
  if (graph.start in graph.steps) walk(graph.start);
  const reached = done.toReversed();
  const rest = Object.keys(graph.steps).filter((key) => !seen.has(key));
  return [...reached, ...rest];
}
