/** Changes of a graph; each returns a new one and leaves the old as it is. */

import { fits, mayLead } from "./legal.ts";
import { mainPort, portsOf } from "./ports.ts";
import { ENTER, type Graph, type Kind, type Place, type PortAt, type Step } from "./types.ts";
import { following, preceding, targetOf, ways } from "./walk.ts";

/** A journey that nothing was drawn of yet. */
export const blank = (name: string): Graph => ({ schema: 1, name, enter: [], start: "", steps: {}, rules: {} });

/** A key that no step has: "send", "send_2", "send_3"... */
export function newKey(taken: Iterable<string>, kind: Kind): string {
  const known = new Set([...taken, ENTER]);
  for (let number = 1; ; number += 1) {
    const key = number === 1 ? kind : `${kind}_${number}`;
    if (!known.has(key)) return key;
  }
}

/** Put a new step at a port. Where the way led on, the new step's main port leads there now. */
export function add(graph: Graph, at: PortAt, step: Step): { graph: Graph; key: string } {
  const key = newKey(Object.keys(graph.steps), step.kind);
  const next = targetOf(graph, at);
  const main = mainPort(step);
  const ports = { ...step.ports };
  if (next && main) ports[main] = next;
  if (step.kind === "repeat" && at.step !== ENTER) ports["again"] = at.step;
  const placed: Graph = { ...graph, steps: { ...graph.steps, [key]: { ...step, ports } } };
  return { graph: inPlace(lead(placed, at, key), key, at), key };
}

/** Keep a drawn layout: a step without a place gets one below the step that leads to it. */
function inPlace(graph: Graph, key: string, at: PortAt): Graph {
  if (!graph.layout) return graph;
  const above: Place = graph.layout[at.step] ?? [0, 0];
  return { ...graph, layout: { ...graph.layout, [key]: [above[0] + 32, above[1] + 96] } };
}

/** Let a port lead to a step, "" for nowhere; a way that may not be drawn leaves the graph as it is. */
export function connect(graph: Graph, at: PortAt, to: string): Graph {
  return to === "" || mayLead(graph, at, to) ? lead(graph, at, to) : graph;
}

function lead(graph: Graph, at: PortAt, to: string): Graph {
  if (at.step === ENTER) return { ...graph, start: to };
  const step = graph.steps[at.step];
  if (!step) return graph;
  const ports = { ...step.ports };
  if (to) ports[at.port] = to;
  else delete ports[at.port];
  return { ...graph, steps: { ...graph.steps, [at.step]: { ...step, ports } } };
}

/** Change what a step does. Ports that it has no more go; what else names the step stays good. */
export function change(graph: Graph, key: string, step: Step): Graph {
  const had = graph.steps[key];
  if (!had) return graph;
  const has = new Set(portsOf(step));
  const ports = Object.fromEntries(Object.entries(step.ports).filter(([port, to]) => has.has(port) && to));
  return { ...graph, steps: { ...graph.steps, [key]: { ...step, ports } } };
}

/** Give a case of a branch, or an arm of a split, another name; its way goes with it. */
export function renamePort(graph: Graph, key: string, before: string, after: string): Graph {
  const step = graph.steps[key];
  if (!step || before === after || portsOf(step).includes(after)) return graph;
  const ports = Object.fromEntries(
    Object.entries(step.ports).map(([port, to]) => [port === before ? after : port, to]),
  );
  const renamed = { ...step, ports };
  if (renamed.kind === "branch") {
    renamed.cases = renamed.cases.map((each) => (each.port === before ? { ...each, port: after } : each));
  } else if (renamed.kind === "split") {
    renamed.weights = Object.fromEntries(
      Object.entries(renamed.weights).map(([arm, weight]) => [arm === before ? after : arm, weight]),
    );
    if (renamed.control === before) renamed.control = after;
  } else {
    return graph;
  }
  return { ...graph, steps: { ...graph.steps, [key]: renamed } };
}

/**
 * Take steps out. A way to one of them leads on to the step after it, if there is exactly one that it may
 * lead to; otherwise it ends open.
 */
export function remove(graph: Graph, keys: Iterable<string>): Graph {
  return [...keys].reduce(removeOne, graph);
}

function removeOne(graph: Graph, key: string): Graph {
  const gone = graph.steps[key];
  if (!gone) return graph;
  const nexts = new Set(portsOf(gone).filter((port) => port !== "again").map((port) => gone.ports[port] ?? ""));
  nexts.delete("");
  const [only] = nexts.size === 1 ? nexts : [""];
  const into = ways(graph).filter((way) => way.to === key);
  const { [key]: _, ...steps } = graph.steps;
  let left: Graph = { ...graph, steps };
  for (const way of into) {
    const bare = lead(left, way, "");
    left = only && mayLead(bare, way, only) ? lead(bare, way, only) : bare;
  }
  return withoutNaming(left, key);
}

/** Take out what other places say of a step that is gone: whose message an event is of, since when it counts. */
function withoutNaming(graph: Graph, key: string): Graph {
  const steps = Object.fromEntries(
    Object.entries(graph.steps).map(([other, step]) => {
      if (step.kind === "wait_for" && (step.of_step === key || step.since === key)) {
        const { of_step, since, ...rest } = step;
        const kept = { ...(of_step && of_step !== key ? { of_step } : {}), ...(since && since !== key ? { since } : {}) };
        return [other, { ...rest, ...kept }];
      }
      if (step.kind === "branch" && step.cases.some((each) => each.of_step === key)) {
        const cases = step.cases.map(({ of_step, ...rest }) => (of_step && of_step !== key ? { ...rest, of_step } : rest));
        return [other, { ...step, cases }];
      }
      return [other, step];
    }),
  );
  const { [key]: _, ...layout } = graph.layout ?? {};
  return { ...graph, steps, ...(graph.layout ? { layout } : {}) };
}

/** The steps that can be reached only by way of this one, and it. */
export function branchOf(graph: Graph, key: string): string[] {
  const cut = { ...graph, steps: { ...graph.steps } };
  delete cut.steps[key];
  const start = graph.start in cut.steps ? graph.start : "";
  const still = start ? new Set([start, ...following(cut, start)]) : new Set<string>();
  return [key, ...[...following(graph, key)].filter((each) => !still.has(each))];
}

/** Steps that were copied, with the ways between them. */
export interface Fragment {
  first: string;
  steps: { [key: string]: Step };
}

/** Copy steps; ways out of them are left behind. */
export function copy(graph: Graph, keys: Iterable<string>): Fragment | undefined {
  const chosen = new Set([...keys].filter((key) => key in graph.steps));
  const steps = Object.fromEntries(
    [...chosen].map((key) => {
      const step = graph.steps[key] as Step;
      return [key, { ...step, ports: Object.fromEntries(Object.entries(step.ports).filter(([, to]) => chosen.has(to))) }];
    }),
  );
  const first = [...chosen].find((key) => ![...preceding(graph, key)].some((before) => chosen.has(before)));
  return first === undefined ? undefined : { first, steps };
}

/** Put a copy into a graph under new keys, at a port where it fits there, else beside everything. */
export function paste(graph: Graph, fragment: Fragment, at?: PortAt): { graph: Graph; keys: string[] } {
  const names = new Map<string, string>();
  for (const [key, step] of Object.entries(fragment.steps)) {
    names.set(key, newKey([...Object.keys(graph.steps), ...names.values()], step.kind));
  }
  const renamed = (key: string): string => names.get(key) ?? key;
  const pasted = Object.fromEntries(
    Object.entries(fragment.steps).map(([key, step]) => [renamed(key), renameIn(step, renamed)]),
  );
  const grown = { ...graph, steps: { ...graph.steps, ...pasted } };
  const keys = [...names.values()];
  const first = pasted[renamed(fragment.first)];
  if (!at || !first || !fits(graph, at, first)) return { graph: grown, keys };
  const next = targetOf(graph, at);
  const joined = lead(grown, at, renamed(fragment.first));
  const last = keys.flatMap((key) => {
    const step = joined.steps[key] as Step;
    const main = mainPort(step);
    return main !== undefined && !targetOf(joined, { step: key, port: main }) ? [{ step: key, port: main }] : [];
  });
  return { graph: next && last.length === 1 && last[0] ? lead(joined, last[0], next) : joined, keys };
}

function renameIn(step: Step, renamed: (key: string) => string): Step {
  const ports = Object.fromEntries(Object.entries(step.ports).map(([port, to]) => [port, renamed(to)]));
  if (step.kind === "wait_for") {
    return {
      ...step,
      ports,
      ...(step.of_step ? { of_step: renamed(step.of_step) } : {}),
      ...(step.since ? { since: renamed(step.since) } : {}),
    };
  }
  if (step.kind === "branch") {
    const cases = step.cases.map((each) => (each.of_step ? { ...each, of_step: renamed(each.of_step) } : each));
    return { ...step, ports, cases };
  }
  return { ...step, ports };
}

/** Keep where the steps stand, as somebody moved one of them by hand. */
export function move(graph: Graph, places: { [key: string]: Place }): Graph {
  return { ...graph, layout: { ...graph.layout, ...places } };
}

/** Forget where steps were put by hand: the layout is automatic again. */
export function tidy(graph: Graph): Graph {
  const { layout: _, ...rest } = graph;
  return rest;
}
