import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { move } from "../src/graph/edit.ts";
import { HEIGHT, WIDTH, draw, path, portList, wayBack } from "../src/graph/layout.ts";
import { neighbour, portToAddAt } from "../src/graph/steer.ts";
import { ENTER, type Graph } from "../src/graph/types.ts";
import { AGAIN, TWO_WAYS, WEEK, put, recall } from "./drawn.ts";

const wide = (): Graph => put(put(recall(), { step: "wait_for", port: "timeout" }, TWO_WAYS), { step: "branch", port: "yes" }, WEEK);

test("no two steps stand on each other, and every way leads down", () => {
  const drawing = draw(wide(), () => "some words");
  const places = Object.entries(drawing.places);
  for (const [one, [x, y]] of places) {
    for (const [other, [ox, oy]] of places) {
      ok(one === other || Math.abs(x - ox) >= WIDTH || Math.abs(y - oy) >= HEIGHT, `${one} on ${other}`);
    }
  }
  for (const line of drawing.lines) {
    if (line.to) ok((drawing.places[line.to]?.[1] ?? 0) > (drawing.places[line.at.step]?.[1] ?? 0), line.to);
  }
});

test("every port has a line or a plus", () => {
  const drawing = draw(wide(), () => "");
  equal(drawing.lines.length, portList(wide()).length);
  equal(drawing.opens.length, drawing.lines.filter((line) => !line.to).length);
  ok(drawing.opens.some((open) => open.at.step === "wait"));
});

test("a way back is drawn as one and does not stretch the rows", () => {
  const graph = put(recall(), { step: "wait_for", port: "timeout" }, AGAIN);
  const drawing = draw(graph, () => "");
  ok(drawing.lines.find((line) => line.at.port === "again")?.back);
  ok((drawing.places["repeat"]?.[1] ?? 0) > (drawing.places["wait_for"]?.[1] ?? 0));
});

test("steps that were put somewhere stand there", () => {
  const drawing = draw(move(recall(), { send: [40, 80], wait_for: [40, 240] }), () => "");
  equal(drawing.places["send"]?.[0], 40);
  ok((drawing.places[ENTER]?.[1] ?? 0) < 80, "the way in stands above the first step");
  ok(drawing.places["goal"]);
});

test("arrow keys follow the ways and go to what stands beside", () => {
  const graph = wide();
  const drawing = draw(graph, () => "");
  equal(neighbour(graph, drawing, ENTER, "down"), "send");
  equal(neighbour(graph, drawing, "send", "down"), "wait_for");
  equal(neighbour(graph, drawing, "wait_for", "up"), "send");
  equal(neighbour(graph, drawing, ENTER, "up"), ENTER);
  const goalIsLeft = (drawing.places["goal"]?.[0] ?? 0) < (drawing.places["branch"]?.[0] ?? 0);
  const [left, right] = goalIsLeft ? (["goal", "branch"] as const) : (["branch", "goal"] as const);
  equal(neighbour(graph, drawing, left, "right"), right);
  equal(neighbour(graph, drawing, right, "left"), left);
});

test("Enter adds at the open port first", () => {
  const graph = wide();
  const drawing = draw(graph, () => "");
  equal(portToAddAt(graph, drawing, "wait")?.port, "next");
  equal(portToAddAt(graph, drawing, "goal"), undefined);
  equal(portToAddAt(graph, drawing, ENTER)?.port, "start");
});

test("a path begins and ends where its way does", () => {
  const drawn = path([[0, 0], [10, 50], [20, 100]]);
  ok(drawn.startsWith("M0 0C"));
  ok(drawn.endsWith("20 100"));
});

test("a way back runs through the nearest gap that is free", () => {
  const places: { [key: string]: [number, number] } = { top: [0, 0], middle: [0, 120], beside: [252, 120], low: [0, 240] };
  const corners = wayBack(places, "low", "top");
  for (const [index, [x, y]] of corners.entries()) {
    const [px, py] = corners[index - 1] ?? [x, y];
    ok(x === px || y === py, "every piece is upright or level");
  }
  equal(Math.min(...corners.map(([x]) => x)), -14, "on the left, where nothing stands");
});
