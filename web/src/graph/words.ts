/** How steps, ports and times are said; as `salus/journeys/web/words.py` says them on other pages. */

import { portsOf } from "./ports.ts";
import { ENTER, type Duration, type EventAsked, type Graph, type PortAt, type Step, type Unit } from "./types.ts";

/** Names of what a journey only has ids of. */
export interface Names {
  segment: (id: string) => string;
  journey: (id: string) => string;
  event: (kind: string) => string;
  role: (role: string) => string;
}

export const GLYPHS: { [K in Step["kind"]]: string } = {
  send: "mail", wait: "clock", wait_for: "clock", branch: "journey", split: "split", update: "set",
  go_to: "next", repeat: "reply", task: "people", call: "vendor", goal: "flag", exit: "cross",
};
export const KINDS: { [K in Step["kind"]]: string } = {
  send: "Message", wait: "Wait", wait_for: "Wait for something", branch: "Branch", split: "Split by chance",
  update: "Update", go_to: "Go on elsewhere", repeat: "Repeat", task: "Task", call: "Call a service",
  goal: "Goal", exit: "End",
};
export const CHANNELS = { email: "E-mail", portal: "Portal message", sms: "Text" } as const;
const MEANINGS: { [K in Step["kind"]]?: string } = {
  send: "is-send", wait: "is-wait", wait_for: "is-wait", task: "is-wait", call: "is-wait",
  branch: "is-branch", split: "is-branch", goal: "is-goal",
};
const PORTS: { [port: string]: string } = {
  refused: "not allowed", happened: "it happened", timeout: "it did not happen", else: "otherwise",
  again: "once more", done: "done", not_done: "not done", failed: "failed",
};
export const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

export const glyphOf = (step: Step): string =>
  step.kind === "send" && step.channel !== "email" ? (step.channel === "sms" ? "phone" : "lock") : GLYPHS[step.kind];
export const kindOf = (step: Step): string => (step.kind === "send" ? CHANNELS[step.channel] : KINDS[step.kind]);
export const meaningOf = (step: Step): string => MEANINGS[step.kind] ?? "";

/** A word of the closed lists as people read it: "care_coordinator" is "Care coordinator". */
export function plain(word: string): string {
  const said = word.replaceAll("_", " ").replaceAll(".", " ").trim();
  return said.charAt(0).toUpperCase() + said.slice(1);
}

/** A port as the canvas says it, "" for the only way on. */
export function portWords(step: Step | undefined, port: string): string {
  if (!step || port === "next") return step && portsOf(step).length > 1 ? "allowed" : "";
  const own = (step.kind === "branch" && port !== "else") || step.kind === "split";
  return own ? plain(port).toLowerCase() : (PORTS[port] ?? plain(port).toLowerCase());
}

/** A port as it is said where it stands alone: “Wait for a booking”, it did not happen. */
export function portSaid(graph: Graph, at: PortAt): string {
  if (at.step === ENTER) return "the way in";
  const step = graph.steps[at.step];
  const words = portWords(step, at.port);
  return `“${step?.title ?? at.step}”${words ? `, ${words}` : ""}`;
}

const UNITS: Unit[] = ["weeks", "days", "hours", "minutes"];
const LENGTHS: { [U in Unit]: number } = { weeks: 10_080, days: 1_440, hours: 60, minutes: 1 };

/** A length of time: "3 days". */
export function span(duration: Duration | undefined): string {
  const unit = UNITS.find((each) => duration?.[each] !== undefined);
  if (!unit || !duration) return "no time";
  const count = Math.abs(duration[unit] ?? 0);
  return `${count} ${count === 1 ? unit.slice(0, -1) : unit}`;
}

/** The minutes of a length of time; below zero for "before". */
export function minutesOf(duration: Duration | undefined): number {
  return UNITS.reduce((sum, unit) => sum + (duration?.[unit] ?? 0) * LENGTHS[unit], 0);
}

/** "3 days before", "on the day of". */
export function offsetWords(offset: Duration | undefined): string {
  const minutes = minutesOf(offset);
  return minutes === 0 ? "on the day of" : `${span(offset)} ${minutes < 0 ? "before" : "after"}`;
}

/** An event as it is asked for: "appointment booked". */
export function eventWords(event: EventAsked | undefined, names: Names): string {
  const did = event?.did;
  const kinds = did === undefined ? [] : Array.isArray(did) ? did : [did];
  return kinds.length ? kinds.map((kind) => names.event(kind).toLowerCase()).join(" or ") : "something";
}

/** The one thing to know of what a step does, for the second line of its node. */
export function fact(step: Step, names: Names): string {
  switch (step.kind) {
    case "send": {
      const many = Object.keys(step.versions).length;
      return `${CHANNELS[step.channel].toLowerCase()}, ${many ? Object.keys(step.versions).map((one) => one.toUpperCase()).join(" and ") : "no template yet"}`;
    }
    case "wait":
      if (step.span) return span(step.span);
      if (step.attribute) {
        return `until ${offsetWords(step.offset)} ${plain(step.attribute).toLowerCase()}${step.at ? `, ${step.at}` : ""}`;
      }
      return `until ${[step.until_weekday === undefined ? "" : WEEKDAYS[step.until_weekday], step.until_time ?? ""].filter(Boolean).join(" ")}`;
    case "wait_for":
      return `${step.condition ? "a condition" : eventWords(step.event, names)}, ${span(step.at_most)} at most`;
    case "branch":
      return `${step.cases.length + 1} ways, by what is known`;
    case "split":
      return shares(step.weights).join(" / ");
    case "update": {
      const parts = [
        Object.keys(step.attributes ?? {}).map((key) => plain(key).toLowerCase()).join(", "),
        step.opt_out_topics?.length ? "opts out" : "",
        step.add_to?.length ? "into a list" : "",
        step.remove_from?.length ? "off a list" : "",
      ].filter(Boolean);
      return parts.join(", ") || "nothing yet";
    }
    case "go_to":
      return step.journey_id ? names.journey(step.journey_id) : "another step";
    case "repeat":
      return `${step.times === 1 ? "once" : `${step.times} times`} at most, every ${span(step.interval)}`;
    case "task":
      return `${names.role(step.role).toLowerCase()}, ${span(step.at_most)} at most`;
    case "call":
      return `${count(step.fields?.length ?? 0, "field")}, ${span(step.at_most ?? { days: 1 })} at most`;
    case "goal":
      return "ends here, reached";
    case "exit":
      return "ends here";
  }
}

const count = (many: number, noun: string): string => `${many} ${noun}${many === 1 ? "" : "s"}`;

/** Weights as shares of a hundred. */
export function shares(weights: { [arm: string]: number }): string[] {
  const whole = Object.values(weights).reduce((sum, one) => sum + one, 0);
  return Object.values(weights).map((one) => `${whole ? Math.round((100 * one) / whole) : 0}%`);
}

/** How people come in, in a few words for the node of the way in. */
export function enterWords(graph: Graph, names: Names): { title: string; fact: string } {
  const [only, ...more] = graph.enter;
  if (!only) return { title: "Who comes in?", fact: "nobody yet" };
  if (more.length) return { title: `${graph.enter.length} ways in`, fact: "people come in" };
  switch (only.kind) {
    case "segment_entered":
      return { title: only.segment_id ? names.segment(only.segment_id) : "A segment", fact: only.present ? "enters, or is in it at the start" : "enters" };
    case "segment_left":
      return { title: only.segment_id ? names.segment(only.segment_id) : "A segment", fact: "leaves" };
    case "event":
      return { title: plain(eventWords(only.event, names)), fact: "when it happens" };
    case "date":
      return { title: plain(only.attribute || "a date"), fact: `${offsetWords(only.offset)} it${only.yearly ? ", every year" : ""}` };
    case "form":
      return { title: "A form", fact: "when it is sent" };
    case "api":
      return { title: "A program", fact: "puts people in" };
    case "by_hand":
      return { title: "By hand or by file", fact: "somebody puts people in" };
    case "schedule":
      return { title: only.segment_id ? names.segment(only.segment_id) : "A segment", fact: `every ${only.every ?? "day"}` };
  }
}
