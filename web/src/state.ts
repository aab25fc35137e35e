/** What the editor holds, and every way in which that changes. */

import { createContext, useContext } from "react";
import { begin, commit, redo, undo, type History } from "./graph/history.ts";
import { ENTER, type Graph, type PortAt } from "./graph/types.ts";
import type { Counts, Loaded, Proof, Server, Vocabulary } from "./server.ts";

/** What stands beside the canvas; "" on a phone when nothing is open. */
export type Panel = "step" | "journey" | "simulate" | "";

export interface State {
  history: History<Graph>;
  /** Steps that are chosen, the last one last; ENTER is the way in. */
  selected: string[];
  panel: Panel;
  /** The step from which is simulated, "" for the way in. */
  from: string;
  view: "canvas" | "list";
  /** The port at which a step is being added. */
  adding: PortAt | undefined;
  saved: Graph;
  seen: string;
  saving: "" | "saving" | "conflict" | "failed";
  /** What is said for a moment, with what can be done about it. */
  said: { text: string; undo: boolean } | undefined;
  proof: Proof | undefined;
  /** What the check could not read or answer. */
  checking: "" | "waiting" | "failed";
  counts: Counts | undefined;
  simulated: boolean;
}

export type Act =
  | { do: "change"; graph: Graph; of?: string; select?: string[]; said?: string }
  | { do: "undo" }
  | { do: "redo" }
  | { do: "select"; keys: string[]; panel?: Panel }
  | { do: "panel"; panel: Panel; from?: string }
  | { do: "view"; view: State["view"] }
  | { do: "add"; at: PortAt | undefined }
  | { do: "saving" }
  | { do: "saved"; graph: Graph; seen: string }
  | { do: "unsaved"; why: "conflict" | "failed" }
  | { do: "say"; text: string }
  | { do: "quiet" }
  | { do: "check" }
  | { do: "checked"; proof: Proof | undefined }
  | { do: "counted"; counts: Counts | undefined };

/** The state to begin with; `opening` is what the address asks for. */
export function starting(loaded: Loaded, opening: string, narrow: boolean): State {
  const closed = narrow && loaded.graph.start !== "";
  return {
    history: begin(loaded.graph),
    selected: [ENTER],
    panel: opening === "#simulate" ? "simulate" : closed ? "" : "step",
    from: "",
    view: "canvas",
    adding: undefined,
    saved: loaded.graph,
    seen: loaded.seen,
    saving: "",
    said: undefined,
    proof: undefined,
    checking: "waiting",
    counts: loaded.counts ?? undefined,
    simulated: false,
  };
}

export function next(state: State, act: Act): State {
  switch (act.do) {
    case "change": {
      const history = commit(state.history, act.graph, act.of);
      const selected = act.select ?? state.selected;
      return {
        ...withHistory(state, history, selected),
        panel: act.select ? "step" : state.panel,
        adding: undefined,
        said: act.said ? { text: act.said, undo: true } : state.said,
      };
    }
    case "undo":
      return { ...withHistory(state, undo(state.history), state.selected), said: undefined };
    case "redo":
      return withHistory(state, redo(state.history), state.selected);
    case "select":
      return { ...state, selected: act.keys, panel: act.panel ?? "step" };
    case "panel":
      return { ...state, panel: act.panel, from: act.from ?? "" };
    case "view":
      return { ...state, view: act.view };
    case "add":
      return { ...state, adding: act.at };
    case "saving":
      return { ...state, saving: "saving" };
    case "saved":
      return { ...state, saving: "", saved: act.graph, seen: act.seen };
    case "unsaved":
      return { ...state, saving: act.why };
    case "say":
      return { ...state, said: { text: act.text, undo: false } };
    case "quiet":
      return { ...state, said: undefined };
    case "check":
      return { ...state, checking: "waiting" };
    case "checked":
      return act.proof ? { ...state, checking: "", proof: act.proof } : { ...state, checking: "failed" };
    case "counted":
      return { ...state, counts: act.counts, simulated: act.counts !== undefined };
  }
}

/** A change makes simulated numbers old, and what is chosen must still be there. */
function withHistory(state: State, history: History<Graph>, selected: string[]): State {
  if (history === state.history) return { ...state, selected };
  const kept = selected.filter((key) => key === ENTER || key in history.present.steps);
  const counts = state.simulated ? undefined : state.counts;
  return { ...state, history, selected: kept.length ? kept : [ENTER], counts, simulated: false };
}

export interface Editor {
  state: State;
  graph: Graph;
  words: Vocabulary;
  server: Server;
  loaded: Loaded;
  /** Whether anything may be changed. */
  edits: boolean;
  act: (act: Act) => void;
}

const Context = createContext<Editor | undefined>(undefined);
export const EditorProvider = Context.Provider;

export function useEditor(): Editor {
  const editor = useContext(Context);
  if (!editor) throw new Error("there is no editor around this part");
  return editor;
}
