/** What the server is asked, and what it answers (`salus/journeys/web/editor.py`). */

import type { Channel, Graph } from "./graph/types.ts";

export interface Choice {
  id: string;
  label: string;
}
export interface Template {
  /** Of the version. */
  id: string;
  /** Of the template. */
  name: string;
  /** Name, number, what it is for, and whether that is confirmed. */
  label: string;
  language: string;
  confirmed: boolean;
}
export type ValueType = "text" | "number" | "date" | "bool" | "code" | "codes" | "records" | "instant" | "presence";
export interface Attribute {
  key: string;
  label: string;
  type: ValueType;
  codes?: Choice[];
}
export interface EventKind {
  kind: string;
  label: string;
  details: { key: string; label: string; type: ValueType }[];
}

/** What a journey may name: of this organization, for this person. */
export interface Vocabulary {
  channels: Channel[];
  languages: Choice[];
  templates: Template[];
  segments: (Choice & { static: boolean })[];
  attributes: Attribute[];
  events: EventKind[];
  roles: Choice[];
  services: Choice[];
  journeys: Choice[];
  topics: string[];
}

export interface Finding {
  code: string;
  step: string;
  port: string;
  what: string;
  mend: string;
  severity: "error" | "warning";
}
export interface Proof {
  findings: Finding[];
  promises: string[];
}

export interface StepCounts {
  arrived: number;
  here: number;
  left: { [port: string]: number };
  outcomes: { outcome: string; reason: string; people: number }[];
  hours: number | null;
}
export interface Counts {
  entered: number;
  waiting: number;
  completed: number;
  exited: number;
  refused: number;
  reasons: { [reason: string]: number };
  steps: { [step: string]: StepCounts };
  /** What the codes of reasons mean, and the law that says so. */
  said: { [reason: string]: { sentence: string; law: string[] } };
}

export interface Simulated {
  counts: Counts;
  /** Whether more people would come in than were tried: then these are spread over all of them. */
  some: boolean;
}

export interface Supposed {
  happens: { [event: string]: number };
  tasks_done: number;
  calls_done: number;
}

export interface Loaded {
  /** Changes with every save; a save says which one it knew. */
  seen: string;
  graph: Graph;
  /** Whether this person may change it now. */
  edits: boolean;
  /** Of a version that is or was live. */
  counts: Counts | null;
  /** The other pages of the journey. */
  pages: { label: string; url: string }[];
}

/** A drawing with the part that the server leaves out when it is as by default. */
function whole(graph: Omit<Graph, "rules"> & Partial<Graph>): Graph {
  return { ...graph, rules: graph.rules ?? {} };
}

/** An answer that is none: what happened, in words for the person. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

export interface Server {
  load: () => Promise<Loaded>;
  vocabulary: () => Promise<Vocabulary>;
  check: (graph: Graph, signal: AbortSignal) => Promise<Proof>;
  save: (graph: Graph, seen: string) => Promise<{ seen: string }>;
  handIn: () => Promise<{ url: string }>;
  simulate: (graph: Graph, supposed: Supposed, from: string) => Promise<Simulated>;
}

const SIGNED_OUT = "You are signed out, or this is not for you any more. What you drew is still on this page: sign in in another window, then save it here.";

/** The server whose endpoints stand below `base`. */
export function serverAt(base: string): Server {
  let token = "";
  const send = (name: string, body: unknown, signal?: AbortSignal): Promise<Response> =>
    fetch(base + name, {
      method: body === undefined ? "GET" : "POST",
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token },
      redirect: "manual",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  const ask = async <T>(name: string, body?: unknown, signal?: AbortSignal): Promise<T> => {
    let response = await send(name, body, signal);
    if (response.status === 403 && body !== undefined) {
      await load(); // somebody signed in anew in another window: the token is another one now
      response = await send(name, body, signal);
    }
    if (response.type === "opaqueredirect") throw new Refused(401, SIGNED_OUT);
    if (!response.ok) throw new Refused(response.status, await said(response));
    return (await response.json()) as T;
  };
  const load = async (): Promise<Loaded> => {
    const { token: given, ...loaded } = await ask<Loaded & { token: string }>("draft");
    token = given;
    return { ...loaded, graph: whole(loaded.graph) };
  };
  return {
    load,
    vocabulary: () => ask("vocabulary"),
    check: (graph, signal) => ask("check", { graph }, signal),
    save: (graph, seen) => ask("save", { graph, seen }),
    handIn: () => ask("hand-in", {}),
    simulate: (graph, supposed, from) => ask("simulate", { graph, supposed, from }),
  };
}

async function said(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { detail?: string };
    if (body.detail) return body.detail;
  } catch {
    // not JSON: the session ended, or nobody answers
  }
  return response.status === 403 || response.status === 404
    ? SIGNED_OUT
    : "Salus does not answer. What you drew is still on this page: try again in a moment.";
}

