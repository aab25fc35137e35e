/** Which ports a step has. */

import type { PortAt, Step } from "./types.ts";

/** The ports that a step has, in the order in which they are drawn; optional ones only when they are drawn. */
export function portsOf(step: Step): string[] {
  switch (step.kind) {
    case "send":
      return drawn(step, ["next"], "refused");
    case "wait":
    case "update":
      return ["next"];
    case "wait_for":
      return ["happened", "timeout"];
    case "branch":
      return [...step.cases.map((each) => each.port), "else"];
    case "split":
      return Object.keys(step.weights);
    case "go_to":
      return step.journey_id === undefined ? ["next"] : [];
    case "repeat":
      return ["again", "done"];
    case "task":
      return ["done", "not_done"];
    case "call":
      return drawn(step, ["done"], "failed");
    case "goal":
    case "exit":
      return [];
  }
}

function drawn(step: Step, always: string[], optional: string): string[] {
  return optional in step.ports ? [...always, optional] : always;
}

/** The port that may be drawn or left out, if the step has one. */
export function optionalPort(step: Step): "refused" | "failed" | undefined {
  if (step.kind === "send") return "refused";
  return step.kind === "call" ? "failed" : undefined;
}

/** The port by which a step goes on when it is put in between two others; none for steps that end the way. */
export function mainPort(step: Step): string | undefined {
  const ports = portsOf(step);
  if (step.kind === "wait_for") return "timeout";
  if (step.kind === "repeat") return "done";
  return step.kind === "branch" ? "else" : ports[0];
}

export function samePort(one: PortAt | undefined, other: PortAt | undefined): boolean {
  return one?.step === other?.step && one?.port === other?.port;
}
