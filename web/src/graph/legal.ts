/** What may come next at a port: which new steps, and which steps that are there already. */

import { mainPort, portsOf } from "./ports.ts";
import { ENTER, type Channel, type Graph, type Kind, type PortAt, type Step } from "./types.ts";
import { leadsBack, preceding, targetOf } from "./walk.ts";

/** What the installation can do, as far as it decides which steps are offered. */
export interface Able {
  channels: Channel[];
  services: number;
  journeys: number;
}

export interface Offer {
  kind: Kind;
  channel?: Channel;
  /** A `go_to` that leaves for another journey. */
  away?: boolean;
}

const EVERYTHING: Offer[] = [
  { kind: "send", channel: "email" },
  { kind: "send", channel: "portal" },
  { kind: "send", channel: "sms" },
  { kind: "wait" },
  { kind: "wait_for" },
  { kind: "branch" },
  { kind: "split" },
  { kind: "repeat" },
  { kind: "update" },
  { kind: "task" },
  { kind: "call" },
  { kind: "goal" },
  { kind: "exit" },
  { kind: "go_to", away: true },
];

/** The new steps that may be put at a port: on a way that leads on, only those that lead on too. */
export function offers(graph: Graph, at: PortAt, able: Able): Offer[] {
  const leadsOn = targetOf(graph, at) !== "";
  return EVERYTHING.filter((offer) => {
    if (offer.kind === "send") return able.channels.includes(offer.channel as Channel);
    if (offer.kind === "call") return able.services > 0;
    if (offer.kind === "repeat") return backTargets(graph, at).length > 0;
    if (offer.kind === "go_to") return !leadsOn && able.journeys > 0;
    return !(leadsOn && (offer.kind === "goal" || offer.kind === "exit"));
  }).filter((offer) => !(leadsBack(graph, at) && (offer.kind === "goal" || offer.kind === "exit" || offer.kind === "go_to")));
}

/** The steps that a `repeat` put at this port could lead back to. */
function backTargets(graph: Graph, at: PortAt): string[] {
  return at.step === ENTER || leadsBack(graph, at) ? [] : [at.step, ...preceding(graph, at.step)];
}

/** Whether a port may lead to this step: nothing but a `repeat` leads back, and only to what comes before it. */
export function mayLead(graph: Graph, at: PortAt, to: string): boolean {
  if (!(to in graph.steps) || targetOf(graph, at) === to) return false;
  if (at.step === ENTER) return true;
  if (at.step === to) return false;
  return leadsBack(graph, at) ? preceding(graph, at.step).has(to) : !preceding(graph, at.step).has(to);
}

/** The steps that a port may lead to. */
export function targets(graph: Graph, at: PortAt): string[] {
  return Object.keys(graph.steps).filter((key) => mayLead(graph, at, key));
}

/** Whether a step may stand on the way that a port leads; its main port then leads on to where that led. */
export function fits(graph: Graph, at: PortAt, step: Step): boolean {
  return targetOf(graph, at) === "" || mainPort(step) !== undefined;
}

/** The ports of a step that lead nowhere. */
export function openPorts(graph: Graph, key: string): PortAt[] {
  const step = graph.steps[key];
  if (!step) return [];
  return portsOf(step).map((port) => ({ step: key, port })).filter((at) => !targetOf(graph, at));
}
