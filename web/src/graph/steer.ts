/** Moving between steps with the arrow keys. */

import type { Drawing } from "./layout.ts";
import { ENTER, type Graph } from "./types.ts";
import { targetOf, ways } from "./walk.ts";

export type Direction = "up" | "down" | "left" | "right";

/** The step to go to from `key`, itself when there is none that way. */
export function neighbour(graph: Graph, drawing: Drawing, key: string, direction: Direction): string {
  const near = direction === "up" || direction === "down" ? along(graph, drawing, key, direction) : beside(drawing, key, direction);
  return near ?? key;
}

/** Up and down follow the ways; of several the leftmost. */
function along(graph: Graph, drawing: Drawing, key: string, direction: Direction): string | undefined {
  const next = direction === "down" ? ways(graph).filter((way) => way.step === key && !isBack(drawing, way)).map((way) => way.to) : ways(graph).filter((way) => way.to === key && !isBack(drawing, way)).map((way) => way.step);
  const left = (one: string): number => drawing.places[one]?.[0] ?? 0;
  return next.toSorted((a, b) => left(a) - left(b))[0];
}

function isBack(drawing: Drawing, way: { step: string; port: string }): boolean {
  return drawing.lines.some((line) => line.back && line.at.step === way.step && line.at.port === way.port);
}

/** Left and right go to what stands beside it: the nearest to that side, more across than down. */
function beside(drawing: Drawing, key: string, direction: Direction): string | undefined {
  const here = drawing.places[key];
  if (!here) return undefined;
  const sign = direction === "right" ? 1 : -1;
  const distance = (x: number, y: number): number => Math.abs(x - here[0]) + 3 * Math.abs(y - here[1]);
  return Object.entries(drawing.places)
    .filter(([other, [x]]) => other !== key && sign * (x - here[0]) > 0)
    .toSorted(([, a], [, b]) => distance(...a) - distance(...b))[0]?.[0];
}

/** The port at which Enter adds a step: one that is open, else the one that leads on. */
export function portToAddAt(graph: Graph, drawing: Drawing, key: string): { step: string; port: string } | undefined {
  const ports = drawing.lines.filter((line) => line.at.step === key && !line.back).map((line) => line.at);
  return ports.find((at) => !targetOf(graph, at)) ?? ports[0] ?? (key === ENTER ? { step: ENTER, port: "start" } : undefined);
}
