/** The numbers of a step, counted or simulated: who came, who is here, which way they left and why. */

import type { ReactNode } from "react";
import { plain, portWords } from "../graph/words.ts";
import { useEditor } from "../state.ts";
import { number } from "./names.ts";

export function StepNumbers({ step }: { step: string }): ReactNode {
  const { state, graph } = useEditor();
  const counts = state.counts?.steps[step];
  const left = Object.entries(counts?.left ?? {}).filter(([, people]) => people > 0);
  const refused = counts?.outcomes.filter((each) => each.outcome === "refused" && each.people > 0) ?? [];
  return (
    <div>
      <div className="between"><span><b>{number(counts?.arrived ?? 0)}</b> <span className="small">came</span></span><span className="c-wait"><b>{number(counts?.here ?? 0)}</b> <span className="small">here</span></span></div>
      <ul className="lines small gap-top">
        {left.map(([port, people]) => (
          <li className="between" key={port}><span>{port === "ended" ? "ended early" : portWords(graph.steps[step], port) || "went on"}</span><span className="num">{number(people)}</span></li>
        ))}
        {refused.map(({ reason, people }) => (
          <li className="between c-refuse" key={`refused:${reason}`}><span><Reason code={reason} /></span><span className="num">{number(people)}</span></li>
        ))}
      </ul>
    </div>
  );
}

/** A reason in words, with the law that says so. */
export function Reason({ code }: { code: string }): ReactNode {
  const { state } = useEditor();
  const said = state.counts?.said[code];
  return (
    <>
      {said?.sentence ?? (plain(code) || "Not allowed")}
      {said?.law.map((law) => <span className="law" key={law}> {law}</span>)}
    </>
  );
}

/** The sum in one sentence: everybody is somewhere. */
export function Sum(): ReactNode {
  const { state } = useEditor();
  const { counts } = state;
  if (!counts) return null;
  return (
    <p className="small" role="status">
      <b>{number(counts.entered)}</b> {state.simulated ? "would come in" : "came in"} = {number(counts.waiting)} inside + {number(counts.completed)} at the goal + {number(counts.exited)} ended + {number(counts.refused)} not allowed
    </p>
  );
}
