/** New steps, filled in as far as that can be guessed. */

import type { Offer } from "./legal.ts";
import { ENTER, type Action, type Graph, type PortAt, type Rule, type Step, type Tree } from "./types.ts";
import { KINDS } from "./words.ts";
import { preceding } from "./walk.ts";

/** A segment expression around a rule. */
export const tree = (where: Rule): Tree => ({ version: 1, where });

/** The kinds of events that a message brings about, for which a step can ask "of which message?". */
export const ENGAGEMENT: readonly string[] = [
  "message_accepted", "message_bounced", "message_opened", "message_clicked", "message_portal", "message_read",
];

/** The title of a new message, by its channel. */
export const SENT = { email: "E-mail", portal: "Portal message", sms: "Text message" };

/** Words that the first of several choices gives. */
export interface Guess {
  service?: string | undefined;
  journey?: string | undefined;
  role?: string | undefined;
}

/** Return a new step for an offer that was taken at a port. */
export function fresh(offer: Offer, graph: Graph, at: PortAt, guess: Guess = {}): Step {
  const title = offer.kind === "send" ? SENT[offer.channel ?? "email"] : offer.away ? "Another journey" : KINDS[offer.kind];
  return { ...action(offer, graph, at, guess), title, ports: {} };
}

function action(offer: Offer, graph: Graph, at: PortAt, guess: Guess): Action {
  switch (offer.kind) {
    case "send":
      return { kind: "send", channel: offer.channel ?? "email", versions: {} };
    case "wait":
      return { kind: "wait", span: { days: 7 } };
    case "wait_for":
      return { kind: "wait_for", event: { did: "appointment_booked" }, at_most: { days: 7 } };
    case "branch": {
      const sent = lastSend(graph, at);
      return sent
        ? { kind: "branch", cases: [{ port: "opened", when: tree({ did: "message_opened" }), of_step: sent }] }
        : { kind: "branch", cases: [{ port: "yes", when: tree({ field: "email", exists: true }) }] };
    }
    case "split":
      return { kind: "split", weights: { a: 50, b: 50 } };
    case "update":
      return { kind: "update" };
    case "go_to":
      return guess.journey ? { kind: "go_to", journey_id: guess.journey } : { kind: "go_to" };
    case "repeat":
      return { kind: "repeat", times: 1, interval: { days: 7 } };
    case "task":
      return { kind: "task", role: guess.role ?? "care_coordinator", at_most: { days: 3 } };
    case "call":
      return { kind: "call", service_id: guess.service ?? "", at_most: { days: 1 } };
    case "goal":
      return { kind: "goal" };
    case "exit":
      return { kind: "exit" };
  }
}

/** The nearest message before a port, "" when there is none. */
export function lastSend(graph: Graph, at: PortAt): string {
  if (at.step === ENTER) return "";
  if (graph.steps[at.step]?.kind === "send") return at.step;
  const before = preceding(graph, at.step);
  return [...before].find((key) => graph.steps[key]?.kind === "send") ?? "";
}
