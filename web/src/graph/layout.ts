/** Where steps stand and ways run: by itself, in rows from top to bottom, or where somebody put the steps. */

import { Graph as Rows, layout as arrange } from "@dagrejs/dagre";
import { portsOf } from "./ports.ts";
import { ENTER, type Graph, type Place, type PortAt } from "./types.ts";
import { leadsBack, targetOf } from "./walk.ts";

export const WIDTH = 224;
export const HEIGHT = 60;
/** The round "+" at the end of an open port. */
export const PLUS = 32;
const BETWEEN = 28;
const DOWN = 64;
const LETTER = 6.6;

export interface Line {
  at: PortAt;
  /** The step it leads to, "" for a port that is open. */
  to: string;
  /** The share of the source's lower side, and of the target's upper side, at which it leaves and arrives. */
  leaves: number;
  arrives: number;
  /** The points that it passes on its way. */
  bends: Place[];
  back: boolean;
}

export interface Drawing {
  /** The upper left corner of each step, and of the way in. */
  places: { [key: string]: Place };
  /** The upper left corner of the "+" of each open port. */
  opens: { at: PortAt; place: Place }[];
  lines: Line[];
}

export const nameOf = (at: PortAt): string => `${at.step}:${at.port}`;

/** Every port of the journey in order, that of the way in first. */
export function portList(graph: Graph): PortAt[] {
  return [
    { step: ENTER, port: "start" },
    ...Object.entries(graph.steps).flatMap(([step, of]) => portsOf(of).map((port) => ({ step, port }))),
  ];
}

/** Draw a journey; `words` are what stands beside a way, for which it needs room. */
export function draw(graph: Graph, words: (at: PortAt) => string): Drawing {
  const drawing = graph.layout && Object.keys(graph.layout).length ? byHand(graph, graph.layout) : byItself(graph, words);
  sideBySide(drawing);
  for (const line of drawing.lines) straighten(drawing, line);
  return drawing;
}

function byItself(graph: Graph, words: (at: PortAt) => string): Drawing {
  const rows = new Rows({ multigraph: true });
  rows.setGraph({ rankdir: "TB", nodesep: BETWEEN, ranksep: DOWN, edgesep: 16 });
  for (const key of [ENTER, ...Object.keys(graph.steps)]) rows.setNode(key, { width: WIDTH, height: HEIGHT });
  const lines: Line[] = [];
  for (const at of portList(graph)) {
    const to = targetOf(graph, at);
    const back = leadsBack(graph, at) && to !== "";
    lines.push({ at, to, leaves: 0.5, arrives: 0.5, bends: [], back });
    if (back) continue;
    const end = to || nameOf(at);
    if (!to) rows.setNode(end, { width: Math.max(PLUS, words(at).length * LETTER), height: PLUS });
    const label = to ? words(at).length * LETTER : 0;
    rows.setEdge(at.step, end, { width: label, height: label ? 18 : 0, labelpos: "c", minlen: 1, weight: 1 }, nameOf(at));
  }
  arrange(rows);
  const corner = (name: string, width: number, height: number): Place => {
    const { x, y } = rows.node(name) as { x: number; y: number };
    return [x - width / 2, y - height / 2];
  };
  for (const line of lines) {
    if (line.back || !line.to) continue;
    const edge = rows.edge(line.at.step, line.to || nameOf(line.at), nameOf(line.at)) as { points: { x: number; y: number }[] };
    line.bends = edge.points.slice(1, -1).map(({ x, y }) => [x, y]);
  }
  return {
    places: Object.fromEntries([ENTER, ...Object.keys(graph.steps)].map((key) => [key, corner(key, WIDTH, HEIGHT)])),
    opens: lines.filter((line) => !line.to).map((line) => ({ at: line.at, place: corner(nameOf(line.at), PLUS, PLUS) })),
    lines,
  };
}

function byHand(graph: Graph, layout: { [key: string]: Place }): Drawing {
  const places: { [key: string]: Place } = {};
  let lowest = Math.max(...Object.values(layout).map(([, y]) => y));
  for (const key of Object.keys(graph.steps)) places[key] = layout[key] ?? [0, (lowest += HEIGHT + DOWN)];
  const first = places[graph.start];
  places[ENTER] = first ? [first[0], first[1] - HEIGHT - DOWN] : [0, 0];
  const lines = portList(graph).map((at): Line => {
    const to = targetOf(graph, at);
    return { at, to, leaves: 0.5, arrives: 0.5, bends: [], back: leadsBack(graph, at) && to !== "" };
  });
  const opens = lines
    .filter((line) => !line.to)
    .map(({ at }) => {
      const from = places[at.step] as Place;
      const step = graph.steps[at.step];
      const ports = step ? portsOf(step) : ["start"];
      const aside = WIDTH * share(ports.indexOf(at.port), ports.length, 0.62);
      return { at, place: [from[0] + aside - PLUS / 2, from[1] + HEIGHT + 44] as Place };
    });
  return { places, opens, lines };
}

/** Let ways that leave or reach one step do so beside each other, in the order of their other ends. */
function sideBySide(drawing: Drawing): void {
  const middle = (line: Line): number => {
    const bend = line.bends[0];
    if (bend) return bend[0];
    const place = line.to ? drawing.places[line.to] : drawing.opens.find((open) => open.at === line.at)?.place;
    return (place?.[0] ?? 0) + (line.to ? WIDTH : PLUS) / 2;
  };
  const from = (line: Line): number => line.bends.at(-1)?.[0] ?? (drawing.places[line.at.step]?.[0] ?? 0) + WIDTH / 2;
  const forward = drawing.lines.filter((line) => !line.back);
  for (const those of grouped(forward, (line) => line.at.step)) {
    those.sort((a, b) => middle(a) - middle(b));
    those.forEach((line, index) => (line.leaves = share(index, those.length, 0.62)));
  }
  for (const those of grouped(forward.filter((line) => line.to), (line) => line.to)) {
    those.sort((a, b) => from(a) - from(b));
    those.forEach((line, index) => (line.arrives = share(index, those.length, 0.36)));
  }
}

/** Let a way of one bend run straight between its ends, unless it is one of many whose words need the room. */
function straighten(drawing: Drawing, line: Line): void {
  const [from, to] = [drawing.places[line.at.step], drawing.places[line.to]];
  const [bend] = line.bends;
  const beside = drawing.lines.filter((other) => other.at.step === line.at.step).length;
  if (!from || !to || !bend || line.bends.length > 1 || beside > 2) return;
  const ends = [from[0] + WIDTH * line.leaves, to[0] + WIDTH * line.arrives];
  line.bends = [[Math.min(Math.max(bend[0], Math.min(...ends)), Math.max(...ends)), bend[1]]];
}

/** The share of a side at which the way at `index` of `many` stands, when they spread over `part` of it. */
function share(index: number, many: number, part: number): number {
  return many === 1 ? 0.5 : 0.5 + part * (index / (many - 1) - 0.5);
}

function grouped<T>(those: T[], by: (one: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of those) groups.set(by(one), [...(groups.get(by(one)) ?? []), one]);
  return [...groups.values()];
}

/** The path of a way from where it leaves to where it arrives: upright at each point that it passes. */
export function path(points: Place[]): string {
  return points
    .map(([x, y], index) => {
      const before = points[index - 1];
      if (!before) return `M${x} ${y}`;
      const half = (before[1] + y) / 2;
      return `C${before[0]} ${half} ${x} ${half} ${x} ${y}`;
    })
    .join("");
}

const ASIDE = BETWEEN / 2;

/**
 * The corners of a way back: out of the side of its step, between the rows to the nearest gap that is free all
 * the way up, and into the side of the step it leads to.
 */
export function wayBack(places: { [key: string]: Place }, from: string, to: string): Place[] {
  const [x, y] = places[from] ?? [0, 0];
  const [tx, ty] = places[to] ?? [0, 0];
  const low = y - ASIDE;
  const high = ty + HEIGHT + ASIDE;
  const between = Object.values(places).filter(([, top]) => top + HEIGHT > high && top < low);
  const free = (at: number): boolean => between.every(([left]) => at < left - 6 || at > left + WIDTH + 6);
  const gaps = [...between, [x, y], [tx, ty]].flatMap(([left]) => [(left ?? 0) - ASIDE, (left ?? 0) + WIDTH + ASIDE]);
  const middle = x + WIDTH / 2;
  const gap = gaps.filter(free).toSorted((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0] ?? x + WIDTH + ASIDE;
  const side = (left: number): [number, number] => (gap > left + WIDTH / 2 ? [left + WIDTH, left + WIDTH + ASIDE] : [left, left - ASIDE]);
  const [out, beside] = side(x);
  const [into, before] = side(tx);
  const straight: Place[] = [[out, y + HEIGHT / 2], [beside, y + HEIGHT / 2], [beside, low], [gap, low], [gap, high], [before, high], [before, ty + HEIGHT / 2], [into, ty + HEIGHT / 2]];
  return straight.filter(([px, py], index) => index === 0 || px !== straight[index - 1]?.[0] || py !== straight[index - 1]?.[1]);
}

/** The path of a way back, with round corners. */
export function pathBack(corners: Place[]): string {
  return corners
    .map(([x, y], index) => {
      const [before, after] = [corners[index - 1], corners[index + 1]];
      if (!before) return `M${x} ${y}`;
      if (!after) return `L${x} ${y}`;
      const [ax, ay] = toward([x, y], before);
      const [bx, by] = toward([x, y], after);
      return `L${ax} ${ay}Q${x} ${y} ${bx} ${by}`;
    })
    .join("");
}

/** The point a little way from one corner to the next. */
function toward([x, y]: Place, [tx, ty]: Place): Place {
  const length = Math.hypot(tx - x, ty - y) || 1;
  const part = Math.min(8, length / 2) / length;
  return [x + (tx - x) * part, y + (ty - y) * part];
}
