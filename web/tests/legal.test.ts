import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { fresh } from "../src/graph/fresh.ts";
import { mayLead, offers, openPorts, targets, type Able } from "../src/graph/legal.ts";
import { portsOf } from "../src/graph/ports.ts";
import { START, type PortAt } from "../src/graph/types.ts";
import { add, blank } from "../src/graph/edit.ts";
import { targetOf, ways } from "../src/graph/walk.ts";
import { AGAIN, END, put, recall } from "./drawn.ts";

const ALL: Able = { channels: ["email", "portal", "sms"], services: 1, journeys: 1 };
const kinds = (at: PortAt, able: Able = ALL, graph = recall()): string[] => offers(graph, at, able).map((one) => one.channel ?? one.kind);

test("text steps are offered only where texts are set up, calls only where there is a service", () => {
  ok(kinds(START).includes("sms"));
  const few = kinds(START, { channels: ["portal"], services: 0, journeys: 0 });
  for (const not of ["sms", "email", "call", "go_to"]) ok(!few.includes(not), not);
});

test("on a way that leads on, nothing is offered that ends it", () => {
  const on = kinds({ step: "send", port: "next" });
  for (const not of ["goal", "exit", "go_to"]) ok(!on.includes(not), not);
  const open = kinds({ step: "send", port: "next" }, ALL, { ...recall(), steps: { send: { ...recall().steps["send"], ports: {} } as never } });
  for (const yes of ["goal", "exit", "go_to"]) ok(open.includes(yes), yes);
});

test("a repeat needs something to go back to", () => {
  ok(!kinds(START, ALL, blank("New")).includes("repeat"));
  ok(kinds({ step: "wait_for", port: "timeout" }).includes("repeat"));
});

test("a way leads on, and back only from a repeat", () => {
  const graph = put(recall(), { step: "wait_for", port: "timeout" }, AGAIN);
  ok(mayLead(graph, { step: "send", port: "next" }, "goal"));
  ok(!mayLead(graph, { step: "wait_for", port: "timeout" }, "send"));
  ok(!mayLead(graph, { step: "repeat", port: "done" }, "send"));
  ok(mayLead(graph, { step: "repeat", port: "again" }, "send"));
  ok(!mayLead(graph, { step: "repeat", port: "again" }, "exit"), "not forward");
  ok(!mayLead(graph, { step: "send", port: "next" }, "send"));
  deepEqual(targets(graph, START).toSorted(), ["exit", "goal", "repeat", "wait_for"]);
});

test("whatever is offered and taken keeps the graph free of rounds, with every port of the step known", () => {
  for (const way of ways(recall())) {
    for (const offer of offers(recall(), way, ALL)) {
      const { graph, key } = add(recall(), way, fresh(offer, recall(), way, { service: "s", journey: "j" }));
      const made = graph.steps[key];
      ok(made);
      for (const port of Object.keys(made.ports)) ok(portsOf(made).includes(port), `${offer.kind}.${port}`);
      equal(targetOf(graph, way), key);
      ok(!goesRound(graph), offer.kind);
    }
  }
});

test("open ports are those that lead nowhere", () => {
  deepEqual(openPorts(recall(), "wait_for"), []);
  const { graph } = add(blank("New"), START, recall().steps["wait_for"] ?? END);
  deepEqual(openPorts({ ...graph, steps: { wait_for: { ...graph.steps["wait_for"], ports: {} } as never } }, "wait_for").map((at) => at.port), ["happened", "timeout"]);
});

function goesRound(graph: ReturnType<typeof recall>): boolean {
  const visit = (key: string, above: string[]): boolean =>
    above.includes(key) || ways(graph).some((way) => way.step === key && way.port !== "again" && visit(way.to, [...above, key]));
  return graph.start !== "" && visit(graph.start, []);
}
