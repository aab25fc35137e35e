/** A step on the canvas: its glyph, title, the one thing to know of it, who is there, whether something is wrong. */

import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import type { ReactNode } from "react";
import { ENTER } from "../graph/types.ts";
import { enterWords, fact, glyphOf, kindOf, meaningOf } from "../graph/words.ts";
import { useEditor } from "../state.ts";
import { foundAt, isError } from "./findings.ts";
import { Icon, Tag } from "./Icon.tsx";
import { namesIn, number } from "./names.ts";

/** The handle at which ways arrive. */
export const IN = "in";

export type StepNodeType = Node<{ step: string; leaves: { port: string; share: number }[] }, "step">;

export function StepNode({ data }: NodeProps<StepNodeType>): ReactNode {
  const { state, edits } = useEditor();
  return (
    <>
      {data.step !== ENTER && <Handle id={IN} type="target" position={Position.Top} isConnectable={edits} />}
      <StepButton step={data.step} focusable={state.selected.at(-1) === data.step} />
      {data.leaves.map(({ port, share }) => (
        <Handle key={port} id={port} type="source" position={port === "again" ? Position.Right : Position.Bottom} isConnectable={edits} style={port === "again" ? {} : { left: `${100 * share}%` }} />
      ))}
    </>
  );
}

function StepButton({ step: key, focusable }: { step: string; focusable: boolean }): ReactNode {
  const { graph, words, state } = useEditor();
  const names = namesIn(words);
  const step = graph.steps[key];
  const way = enterWords(graph, names);
  const title = step ? step.title || kindOf(step) : way.title;
  const said = step ? fact(step, names) : way.fact;
  const findings = foundAt(state, key);
  const wrong = findings.some(isError);
  const here = state.counts?.steps[key]?.here ?? 0;
  const chosen = state.selected.includes(key);
  return (
    <button
      type="button"
      className={`node ${step ? meaningOf(step) : ""}${wrong ? " has-error" : ""}${chosen ? " is-chosen" : ""}`}
      data-step={key}
      tabIndex={focusable ? 0 : -1}
      aria-pressed={chosen}
      aria-label={[step ? kindOf(step) : "Way in", title, said, here ? `${number(here)} here` : "", wrong ? "has something to mend" : findings.length ? "has a warning" : ""].filter(Boolean).join(", ")}
    >
      <span className="glyph"><Icon name={step ? glyphOf(step) : "bolt"} /></span>
      <b>{title}</b>
      <small>{said}</small>
      {here > 0 && <Tag kind="wait">{number(here)} here</Tag>}
      {findings.length > 0 && <span className={`je-mark ${wrong ? "is-broke" : "is-wait"}`}><Icon name="alert" /></span>}
    </button>
  );
}
