/** The journey as a list: the same steps, facts and acts as on the canvas, read from top to bottom. */

import type { ReactNode } from "react";
import { portsOf } from "../graph/ports.ts";
import { ENTER, type PortAt, type Step } from "../graph/types.ts";
import { enterWords, fact, glyphOf, kindOf, meaningOf, portSaid, portWords } from "../graph/words.ts";
import { order, targetOf } from "../graph/walk.ts";
import { useEditor } from "../state.ts";
import { foundAt, isError } from "./findings.ts";
import { Icon, Tag } from "./Icon.tsx";
import { namesIn, number } from "./names.ts";
import { StepPanel } from "./StepPanel.tsx";

const TONES: { [meaning: string]: string } = { "is-send": "is-clear", "is-goal": "is-clear", "is-wait": "is-wait" };

/** `inside`: the form of the chosen step stands below it, where there is no room beside the list. */
export function ListView({ inside }: { inside: boolean }): ReactNode {
  const { graph, state } = useEditor();
  const keys = [ENTER, ...order(graph)];
  return (
    <section className="sheet" aria-labelledby="je-list">
      <header><h2 id="je-list">Step by step</h2><span className="quiet">{keys.length - 1} steps</span></header>
      <ol className="trail small je-list">
        {keys.map((key) => <Row key={key} at={key} step={graph.steps[key]} inside={inside && state.selected.at(-1) === key && state.panel === "step"} />)}
      </ol>
    </section>
  );
}

function Row({ at, step, inside }: { at: string; step: Step | undefined; inside: boolean }): ReactNode {
  const { graph, words, state, act } = useEditor();
  const names = namesIn(words);
  const way = enterWords(graph, names);
  const findings = foundAt(state, at);
  const wrong = findings.some(isError);
  const counts = state.counts?.steps[at];
  const chosen = state.selected.at(-1) === at;
  return (
    <li className={TONES[step ? meaningOf(step) : ""] ?? ""}>
      <span className="dot"><Icon name={step ? glyphOf(step) : "bolt"} /></span>
      <div className="between">
        <button type="button" className="je-row" aria-expanded={inside || undefined} aria-current={chosen} onClick={() => act(inside ? { do: "panel", panel: "" } : { do: "select", keys: [at] })}>
          <strong>{step ? step.title || kindOf(step) : way.title}</strong>
          <span className="quiet">{step ? `${kindOf(step)}: ${fact(step, names)}` : way.fact}</span>
        </button>
        <span className="row">
          {wrong && <Tag kind="broke" icon="alert">To mend</Tag>}
          {!wrong && findings.length > 0 && <Tag kind="wait" icon="alert">Look</Tag>}
          {counts && counts.here > 0 && <Tag kind="wait">{number(counts.here)} here</Tag>}
          {counts && <b>{number(counts.arrived)}</b>}
        </span>
      </div>
      <ul className="je-ports">
        {(step ? portsOf(step) : ["start"]).map((port) => <PortLine key={port} at={{ step: at, port }} />)}
      </ul>
      {inside && <StepPanel />}
    </li>
  );
}

function PortLine({ at }: { at: PortAt }): ReactNode {
  const { graph, act, edits, state } = useEditor();
  const step = graph.steps[at.step];
  const to = targetOf(graph, at);
  const people = state.counts && (at.step === ENTER ? state.counts.entered : (state.counts.steps[at.step]?.left[at.port] ?? 0));
  return (
    <li>
      <span>
        {portWords(step, at.port) || "then"}
        {people !== undefined && <b> {number(people)}</b>}{" "}
        <span aria-hidden="true">→</span><span className="only-read"> leads to </span>{" "}
        {to ? <button type="button" className="je-link" onClick={() => act({ do: "select", keys: [to] })}>{graph.steps[to]?.title || to}</button> : <em>nowhere yet</em>}
      </span>
      {edits && (
        <button type="button" className="icon-btn" data-add={`${at.step}:${at.port}`} aria-label={`Add a step after ${portSaid(graph, at)}`} onClick={() => act({ do: "add", at })}>
          <Icon name="plus" />
        </button>
      )}
    </li>
  );
}
