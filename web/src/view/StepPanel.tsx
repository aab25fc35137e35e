/** The step that is chosen: what it is called, what it does, where it leads, what is wrong with it. */

import type { ReactNode } from "react";
import { EnterFields } from "../fields/enter.tsx";
import { SelectField, TextField } from "../fields/basic.tsx";
import { StepFields } from "../fields/steps.tsx";
import { add, change, connect } from "../graph/edit.ts";
import { fresh } from "../graph/fresh.ts";
import { targets } from "../graph/legal.ts";
import { optionalPort, portsOf } from "../graph/ports.ts";
import { ENTER, type Graph, type PortAt, type Step } from "../graph/types.ts";
import { glyphOf, kindOf, portWords } from "../graph/words.ts";
import { order, targetOf } from "../graph/walk.ts";
import { useEditor } from "../state.ts";
import { useActs } from "./acts.ts";
import { FindingNote } from "./Checks.tsx";
import { foundAt } from "./findings.ts";
import { Icon } from "./Icon.tsx";
import { StepNumbers } from "./numbers.tsx";

export function StepPanel(): ReactNode {
  const { state, graph, edits } = useEditor();
  const key = state.selected.at(-1) ?? ENTER;
  const step = graph.steps[key];
  const findings = foundAt(state, key);
  return (
    <section className="sheet je-panel" aria-labelledby="je-step">
      <header>
        <h2 id="je-step" className="row"><Icon name={step ? glyphOf(step) : "bolt"} />{step ? kindOf(step) : "Who comes in"}</h2>
        {state.selected.length > 1 && <span className="quiet">{state.selected.length} chosen</span>}
      </header>
      <div className="stack">
        {findings.map((finding) => <FindingNote key={finding.code + finding.port + finding.what} finding={finding} />)}
        {state.counts && step && <StepNumbers step={key} />}
        <fieldset className="stack je-form" disabled={!edits}><Fields at={key} step={step} /></fieldset>
        {step && <StepActs at={key} step={step} />}
      </div>
    </section>
  );
}

function Fields({ at, step }: { at: string; step: Step | undefined }): ReactNode {
  const { graph, act } = useEditor();
  if (!step) {
    return (
      <>
        <EnterFields />
        <Ports at={at} ports={["start"]} />
      </>
    );
  }
  return (
    <>
      <TextField label={step.kind === "task" ? "What is to be done" : "Title"} value={step.title} onChange={(title) => act({ do: "change", graph: change(graph, at, { ...step, title }), of: `title:${at}` })} />
      <div className="stack" key={at}><StepFields at={at} step={step} /></div>
      {portsOf(step).length > 0 && <Ports at={at} ports={portsOf(step)} />}
      <OptionalPort at={at} step={step} />
    </>
  );
}

const NEW = "+";

function Ports({ at, ports }: { at: string; ports: string[] }): ReactNode {
  const { graph, act } = useEditor();
  const step = graph.steps[at];
  return (
    <fieldset className="field">
      <legend className="label">Where it leads</legend>
      <div className="stack is-tight">
        {ports.map((port) => {
          const here: PortAt = { step: at, port };
          const now = targetOf(graph, here);
          const open = new Set([...targets(graph, here), now]);
          const choices = order(graph).filter((key) => open.has(key)).map((key) => ({ id: key, label: graph.steps[key]?.title || key }));
          return (
            <SelectField
              key={port}
              label={portWords(step, port) || "Next"}
              none="Nowhere yet"
              value={now}
              choices={[...choices, { id: NEW, label: now ? "A new step before it…" : "A new step…" }]}
              onChange={(to) => (to === NEW ? act({ do: "add", at: here }) : act({ do: "change", graph: connect(graph, here, to) }))}
            />
          );
        })}
      </div>
    </fieldset>
  );
}

/** A way of their own for who may not get the message, or for calls that failed. */
function OptionalPort({ at, step }: { at: string; step: Step }): ReactNode {
  const { graph, act } = useEditor();
  const port = optionalPort(step);
  if (!port) return null;
  const words = port === "refused" ? "who may not get it" : "calls that failed";
  if (port in step.ports) {
    const { [port]: _, ...ports } = step.ports;
    return <button type="button" className="btn is-plain is-small is-left" onClick={() => act({ do: "change", graph: change(graph, at, { ...step, ports }) })}>No way of their own for {words}</button>;
  }
  return (
    <button type="button" className="btn is-small is-left-edge" onClick={() => act({ do: "change", graph: withWay(graph, at, port, step) })}>
      <Icon name={port === "refused" ? "bar" : "alert"} />Draw a way for {words}
    </button>
  );
}

function withWay(graph: Graph, at: string, port: string, step: Step): Graph {
  const end = fresh({ kind: "exit" }, graph, { step: at, port });
  const drawn = change(graph, at, step);
  return add(drawn, { step: at, port }, { ...end, title: port === "refused" ? "Not allowed" : "It failed" }).graph;
}

function StepActs({ at, step }: { at: string; step: Step }): ReactNode {
  const { edits, act } = useEditor();
  const acts = useActs();
  const whole = acts.branch(at);
  return (
    <div className="acts je-step-acts">
      {step.kind !== "goal" && step.kind !== "exit" && <button type="button" className="btn is-small" onClick={() => act({ do: "panel", panel: "simulate", from: at })}>Simulate from here</button>}
      {edits && (
        <>
          <button type="button" className="btn is-small" onClick={acts.copy}>Copy</button>
          <button type="button" className="btn is-small" onClick={acts.duplicate}>Duplicate</button>
          <button type="button" className="btn is-small is-danger" onClick={acts.remove}>Delete</button>
          {whole.length > 1 && <button type="button" className="btn is-small is-danger" onClick={() => acts.removeAll(whole)}>Delete with the {whole.length - 1} after it</button>}
        </>
      )}
    </div>
  );
}
