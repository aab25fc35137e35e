/** The checks, live beside what is drawn: what keeps it from going live and how to mend it, and what is proven. */

import { useState, type ReactNode } from "react";
import { ENTER } from "../graph/types.ts";
import type { Finding } from "../server.ts";
import { useEditor } from "../state.ts";
import { isError, placeOf } from "./findings.ts";
import { Icon, Note } from "./Icon.tsx";

export function FindingNote({ finding }: { finding: Finding }): ReactNode {
  const error = isError(finding);
  return (
    <Note kind={error ? "broke" : "wait"} icon="alert">
      <strong>{finding.what}</strong> {finding.mend}
    </Note>
  );
}

const FEW = 6;

export function Checks(): ReactNode {
  const { state } = useEditor();
  const { proof, checking } = state;
  const [all, setAll] = useState(false);
  const findings = (proof?.findings ?? []).toSorted((a, b) => Number(!isError(a)) - Number(!isError(b)));
  const errors = findings.filter(isError).length;
  const shown = all ? findings : findings.slice(0, FEW);
  return (
    <section className="sheet je-checks" aria-labelledby="je-checks" aria-busy={checking === "waiting"}>
      <header>
        <h2 id="je-checks">{proof && errors === 0 ? "It may go live" : "Before it may go live"}</h2>
        <span className="quiet" aria-live="polite">{!proof ? "Looking…" : errors ? `${errors} to mend` : "Nothing to mend"}</span>
      </header>
      {checking === "failed" && <p className="small c-wait">The check does not answer. What you see is from before.</p>}
      <ul className={`lines small${checking === "waiting" ? " is-old" : ""}`}>
        {shown.map((finding) => <FindingLine key={`${finding.code}:${finding.step}:${finding.port}:${finding.what}`} finding={finding} />)}
        {errors === 0 && proof?.promises.map((promise) => (
          <li className="row" key={promise}><Icon name="check" tone="c-clear" /><span>{promise}</span></li>
        ))}
      </ul>
      {findings.length > FEW && <button type="button" className="btn is-plain is-small is-left" onClick={() => setAll(!all)}>{all ? "Fewer" : `All ${findings.length}`}</button>}
    </section>
  );
}

function FindingLine({ finding }: { finding: Finding }): ReactNode {
  const { graph, act } = useEditor();
  const key = placeOf(finding);
  const name = key === ENTER ? "Who comes in" : key ? graph.steps[key]?.title || key : "The whole journey";
  return (
    <li className="row">
      <Icon name="alert" tone={isError(finding) ? "c-broke" : "c-wait"} />
      <span>
        <button type="button" className="je-link" onClick={() => act(key ? { do: "select", keys: [key] } : { do: "panel", panel: "journey" })}>{name}</button>{": "}
        <strong>{finding.what}</strong> {finding.mend}
      </span>
    </li>
  );
}
