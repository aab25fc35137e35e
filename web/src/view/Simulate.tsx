/** Try it on the people there are: what is supposed of them, and then the numbers on the canvas. */

import { useState, type ReactNode } from "react";
import { NumberField } from "../fields/basic.tsx";
import { eventsIn } from "../graph/conditions.ts";
import { ENGAGEMENT } from "../graph/fresh.ts";
import type { Graph } from "../graph/types.ts";
import type { Supposed } from "../server.ts";
import { useEditor } from "../state.ts";
import { Note } from "./Icon.tsx";
import { namesIn, number } from "./names.ts";
import { Reason } from "./numbers.tsx";

export function Simulate(): ReactNode {
  const { graph, state, words, server, act } = useEditor();
  const kinds = waitedFor(graph);
  const from = state.from in graph.steps ? state.from : "";
  const [supposed, setSupposed] = useState<Supposed>({ happens: {}, tasks_done: 1, calls_done: 1 });
  const [running, setRunning] = useState(false);
  const [fault, setFault] = useState("");
  const [some, setSome] = useState(false);
  const happens = (kind: string): number => supposed.happens[kind] ?? 0.3;
  const run = async (): Promise<void> => {
    setRunning(true);
    setFault("");
    try {
      const answer = await server.simulate(graph, { ...supposed, happens: Object.fromEntries(kinds.map((kind) => [kind, happens(kind)])) }, from);
      act({ do: "counted", counts: answer.counts });
      setSome(answer.some);
    } catch (error) {
      setFault(error instanceof Error ? error.message : "It could not be simulated.");
    }
    setRunning(false);
  };
  return (
    <section className="sheet je-panel" aria-labelledby="je-simulate">
      <header><h2 id="je-simulate">{from ? `Simulate from “${graph.steps[from]?.title ?? ""}”` : "Simulate"}</h2></header>
      <div className="stack">
        <p className="quiet">The law is asked for everybody who would come in. What people do nobody knows: suppose it. Nothing is sent.</p>
        {kinds.map((kind) => (
          <Share key={kind} label={`${namesIn(words).event(kind)}, of a hundred`} value={happens(kind)} onChange={(share) => setSupposed({ ...supposed, happens: { ...supposed.happens, [kind]: share } })} />
        ))}
        {has(graph, "task") && <Share label="Tasks done in time, of a hundred" value={supposed.tasks_done} onChange={(tasks_done) => setSupposed({ ...supposed, tasks_done })} />}
        {has(graph, "call") && <Share label="Calls that succeed, of a hundred" value={supposed.calls_done} onChange={(calls_done) => setSupposed({ ...supposed, calls_done })} />}
        {fault && <Note kind="broke" icon="alert">{fault}</Note>}
        {state.simulated && some && <p className="small">Tried on {number(state.counts?.entered ?? 0)} people, spread over all who would come in.</p>}
        {state.simulated && <Reasons />}
        <div className="acts je-foot">
          <button type="button" className="btn is-small" disabled={running} onClick={() => void run()}>{running ? "It runs…" : state.simulated ? "Simulate again" : "Simulate now"}</button>
          {state.simulated && <button type="button" className="btn is-plain is-small" onClick={() => act({ do: "counted", counts: undefined })}>Take the numbers away</button>}
        </div>
      </div>
    </section>
  );
}

function Share({ label, value, onChange }: { label: string; value: number; onChange: (value: number) => void }): ReactNode {
  return <NumberField label={label} most={100} value={Math.round(value * 100)} onChange={(count) => onChange(count / 100)} />;
}

function Reasons(): ReactNode {
  const { state } = useEditor();
  const reasons = Object.entries(state.counts?.reasons ?? {}).filter(([, people]) => people > 0);
  return reasons.length === 0 ? null : (
    <ul className="lines small gap-top">
      {reasons.map(([reason, people]) => <li className="between" key={reason}><span><Reason code={reason} /></span><span className="num">{people}</span></li>)}
    </ul>
  );
}

const has = (graph: Graph, kind: string): boolean => Object.values(graph.steps).some((step) => step.kind === kind);

function waitedFor(graph: Graph): string[] {
  const asked = Object.values(graph.steps).flatMap((step) => {
    if (step.kind === "wait_for") return [...[step.event?.did ?? []].flat(), ...eventsIn(step.condition)];
    return step.kind === "branch" ? step.cases.flatMap((each) => eventsIn(each.when)).filter((kind) => ENGAGEMENT.includes(kind)) : [];
  });
  return [...new Set(asked)];
}
