/** The JSON of a journey as the server reads and writes it (`salus/journeys/contracts.py` says what it means). */

export type Unit = "weeks" | "days" | "hours" | "minutes";
export type Duration = Partial<Record<Unit, number>>;
export type Channel = "email" | "portal" | "sms";

/** A segment expression, `{"version": 1, "where": ...}`. */
export type Tree = { version?: number; where?: Rule };
export type Rule = { [word: string]: unknown };

export interface EventAsked {
  did?: string | string[];
  where?: { [detail: string]: unknown };
}

export interface Case {
  port: string;
  when: Tree;
  of_step?: string;
}

export interface Send {
  kind: "send";
  channel: Channel;
  versions: { [language: string]: string };
}
export interface Wait {
  kind: "wait";
  span?: Duration;
  until_weekday?: number;
  until_time?: string;
  attribute?: string;
  offset?: Duration;
  at?: string;
  where?: Tree;
}
export interface WaitFor {
  kind: "wait_for";
  at_most: Duration;
  event?: EventAsked;
  condition?: Tree;
  of_step?: string;
  since?: string;
}
export interface Branch {
  kind: "branch";
  cases: Case[];
}
export interface Split {
  kind: "split";
  weights: { [arm: string]: number };
  control?: string;
}
export interface Update {
  kind: "update";
  attributes?: { [key: string]: unknown };
  opt_out_topics?: string[];
  add_to?: string[];
  remove_from?: string[];
}
export interface GoTo {
  kind: "go_to";
  journey_id?: string;
}
export interface Repeat {
  kind: "repeat";
  times: number;
  interval: Duration;
}
export interface Task {
  kind: "task";
  role: string;
  at_most: Duration;
  instructions?: string;
  deputy?: string;
}
export interface Call {
  kind: "call";
  service_id: string;
  fields?: string[];
  at_most?: Duration;
}
export interface Goal {
  kind: "goal";
}
export interface Exit {
  kind: "exit";
}

export type Action =
  | Send | Wait | WaitFor | Branch | Split | Update | GoTo | Repeat | Task | Call | Goal | Exit;
export type Kind = Action["kind"];
export type Step = Action & { title: string; ports: { [port: string]: string } };
export type StepOf<K extends Kind> = Extract<Action, { kind: K }> & { title: string; ports: { [port: string]: string } };

export type EnterKind =
  | "segment_entered" | "segment_left" | "event" | "date" | "form" | "api" | "by_hand" | "schedule";
export interface Enter {
  kind: EnterKind;
  segment_id?: string;
  present?: boolean;
  event?: EventAsked;
  form?: string;
  attribute?: string;
  offset?: Duration;
  yearly?: boolean;
  at?: string;
  where?: Tree;
  every?: string;
  on?: number;
}

export type EndsOn = "goal" | "segment_left" | "opted_out" | "deceased" | "event";
export interface Ending {
  on: EndsOn;
  when?: Tree;
  segment_id?: string;
  topic?: string;
  event?: EventAsked;
}

export interface Rules {
  again?: "never" | "after" | "always";
  again_after?: Duration | null;
  endings?: Ending[];
  quiet_from?: string | null;
  quiet_until?: string | null;
  holidays?: boolean;
  priority?: number;
  at_most?: Duration;
}

export type Place = [number, number];
export interface Graph {
  schema: 1;
  name: string;
  note?: string;
  enter: Enter[];
  start: string;
  steps: { [key: string]: Step };
  rules: Rules;
  layout?: { [key: string]: Place };
}

/** A port of a step, or of the way in (`step` is ENTER, `port` is "start"). */
export interface PortAt {
  step: string;
  port: string;
}
export const ENTER = "enter";
export const START: PortAt = { step: ENTER, port: "start" };
