/** The editor as a whole: head, canvas or list, the panel beside it, the checks. */

import { useEffect, useReducer, useState, type ReactNode } from "react";
import { JourneyFields } from "../fields/journey.tsx";
import { IconButton } from "../fields/basic.tsx";
import type { Loaded, Server, Vocabulary } from "../server.ts";
import { EditorProvider, next, starting, useEditor, type Editor as Held } from "../state.ts";
import { useActs } from "./acts.ts";
import { Canvas } from "./Canvas.tsx";
import { Checks } from "./Checks.tsx";
import { isError } from "./findings.ts";
import { Icon, Note, Tag } from "./Icon.tsx";
import { useKeys } from "./keys.ts";
import { ListView } from "./ListView.tsx";
import { Sum } from "./numbers.tsx";
import { Picker } from "./Picker.tsx";
import { Simulate } from "./Simulate.tsx";
import { StepPanel } from "./StepPanel.tsx";
import { useChecking, useSaving, type Saving } from "./syncing.ts";

const NARROW = "(max-width: 52rem)";

export function Editor({ loaded, words, server }: { loaded: Loaded; words: Vocabulary; server: Server }): ReactNode {
  const [state, act] = useReducer(next, loaded, (given) => starting(given, location.hash, matchMedia(NARROW).matches));
  const editor: Held = { state, graph: state.history.present, words, server, loaded, edits: loaded.edits, act };
  return (
    <EditorProvider value={editor}>
      <Whole />
    </EditorProvider>
  );
}

function Whole(): ReactNode {
  const { state, edits } = useEditor();
  const saving = useSaving();
  useChecking();
  useKeys(saving.save);
  const narrow = useNarrow();
  const listed = narrow || state.view === "list";
  return (
    <div className="je">
      <Head saving={saving} />
      {state.saving === "conflict" && <Conflict saving={saving} />}
      {state.saving === "failed" && <Note kind="broke" icon="alert">It is not saved. What you drew is still on this page. {saving.why}</Note>}
      <div className="cols je-cols">
        <div className="stack je-main">
          <Tools narrow={narrow} />
          {state.counts && <Sum />}
          {narrow && <SidePanel />}
          {listed ? <ListView inside={narrow} /> : <Canvas />}
        </div>
        <aside className="stack je-aside" aria-label="Step and checks">
          {!narrow && (state.panel === "step" ? <StepPanel /> : <SidePanel />)}
          {edits && <Checks />}
        </aside>
      </div>
      {state.adding && <Picker at={state.adding} />}
      <Said />
    </div>
  );
}

/** What is not of one step: the rules of the journey, the simulation. */
function SidePanel(): ReactNode {
  const { state, edits } = useEditor();
  if (state.panel === "simulate") return <Simulate />;
  if (state.panel !== "journey") return null;
  return (
    <section className="sheet je-panel" aria-labelledby="je-journey">
      <header><h2 id="je-journey">The whole journey</h2></header>
      <fieldset className="je-form" disabled={!edits}><JourneyFields /></fieldset>
    </section>
  );
}

function Head({ saving }: { saving: Saving }): ReactNode {
  const { graph, state, loaded, edits, act } = useEditor();
  const dirty = state.saved !== graph;
  const errors = state.proof?.findings.filter(isError).length ?? 0;
  return (
    <div className="head">
      <div>
        <h1>{graph.name || "A journey without a name"}</h1>
        <div className="chips gap-top" role="status">
          {edits && (dirty ? <Tag kind="wait" icon="sign">{state.saving === "saving" ? "Saving…" : "Not saved yet"}</Tag> : <Tag kind="" icon="check">Saved</Tag>)}
          {edits && state.proof && (errors ? <Tag kind="broke" icon="alert">{errors} to mend</Tag> : <Tag kind="clear" icon="seal">Proven</Tag>)}
        </div>
      </div>
      <div className="acts">
        <button type="button" className="btn" aria-pressed={state.panel === "simulate"} onClick={() => act({ do: "panel", panel: state.panel === "simulate" ? "step" : "simulate" })}>Simulate</button>
        {edits ? (
          <>
            <button type="button" className="btn" disabled={!dirty || state.saving === "saving"} onClick={saving.save}>Save</button>
            <button type="button" className="btn is-main" disabled={errors > 0 || !state.proof || saving.handing} onClick={saving.handIn}>Hand in for approval</button>
          </>
        ) : (
          loaded.pages.slice(0, 1).map(({ url }) => <a key={url} className="btn" href={url}>Back to the journey</a>)
        )}
      </div>
    </div>
  );
}

function Conflict({ saving }: { saving: Saving }): ReactNode {
  return (
    <Note kind="wait" icon="alert">
      <strong>Somebody else saved this draft meanwhile.</strong> Yours is still on this page, and nothing of theirs is lost.{" "}
      <span className="chips gap-top">
        <a className="btn is-small" href={location.href} target="_blank" rel="noreferrer">See theirs in a new window</a>
        <button type="button" className="btn is-small" onClick={saving.overwrite}>Keep mine instead</button>
      </span>
    </Note>
  );
}

function Tools({ narrow }: { narrow: boolean }): ReactNode {
  const { state, edits, act, graph, loaded } = useEditor();
  const acts = useActs();
  const { past, future } = state.history;
  return (
    <div className="between is-mid je-tools">
      {!narrow && (
        <div className="seg" role="group" aria-label="View">
          {(["canvas", "list"] as const).map((view) => (
            <button type="button" key={view} aria-current={state.view === view} onClick={() => act({ do: "view", view })}>{view === "canvas" ? "Canvas" : "List"}</button>
          ))}
          {loaded.pages.map(({ label, url }) => <a key={url} href={url}>{label}</a>)}
        </div>
      )}
      <div className="row">
        <button type="button" className="btn is-small" aria-pressed={state.panel === "journey"} onClick={() => act({ do: "panel", panel: state.panel === "journey" ? "step" : "journey" })}><Icon name="set" />Rules</button>
        {edits && (
          <>
            <IconButton icon="undo" label="Undo" disabled={!past.length} onClick={() => act({ do: "undo" })} />
            <IconButton icon="redo" label="Redo" disabled={!future.length} onClick={() => act({ do: "redo" })} />
            <IconButton icon="copy" label="Copy" onClick={acts.copy} />
            <IconButton icon="paste" label="Paste after it" onClick={acts.paste} />
            {!narrow && state.view === "canvas" && <IconButton icon="tidy" label="Lay out by itself" disabled={!graph.layout} onClick={acts.tidy} />}
          </>
        )}
        {!narrow && <Keys />}
      </div>
    </div>
  );
}

const KEYS: [string, string][] = [
  ["Arrows", "move between steps; with Shift, choose several"],
  ["Enter", "add a step after this one"],
  ["E", "edit it"],
  ["Delete", "delete it"],
  ["Ctrl C, X, V", "copy, cut, paste after it"],
  ["Ctrl Z, Y", "undo, redo"],
  ["Ctrl S", "save"],
];

function Keys(): ReactNode {
  return (
    <>
      <button type="button" className="icon-btn" popoverTarget="je-keys" aria-label="Keys" title="Keys"><Icon name="help" /></button>
      <div id="je-keys" popover="auto" className="je-keys">
        <h2>Keys</h2>
        <dl className="facts">{KEYS.map(([key, says]) => <div key={key}><dt>{key}</dt><dd>{says}</dd></div>)}</dl>
      </div>
    </>
  );
}

const MOMENT = 8_000;

function Said(): ReactNode {
  const { state, act } = useEditor();
  const { said } = state;
  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => act({ do: "quiet" }), MOMENT);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <div className="je-said" role="status">
      {said && (
        <div className="toast">
          <Icon name="check" tone="c-clear" />
          <span>{said.text}</span>
          {said.undo && <button type="button" className="je-link" onClick={() => act({ do: "undo" })}>Undo</button>}
        </div>
      )}
    </div>
  );
}

function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const media = matchMedia(NARROW);
    const look = (): void => setNarrow(media.matches);
    media.addEventListener("change", look);
    return () => media.removeEventListener("change", look);
  }, []);
  return narrow;
}
