/** The form of each kind of step. */

import type { ReactNode } from "react";
import { change, renamePort } from "../graph/edit.ts";
import { ENGAGEMENT, SENT, lastSend, tree } from "../graph/fresh.ts";
import { eventsIn } from "../graph/conditions.ts";
import type { Branch, Call, Case, GoTo, Repeat, Send, Split, Step, Task, Update, Wait, WaitFor } from "../graph/types.ts";
import { WEEKDAYS, plain, shares } from "../graph/words.ts";
import { preceding } from "../graph/walk.ts";
import type { Choice } from "../server.ts";
import { useEditor } from "../state.ts";
import { Group, IconButton, ManyField, NumberField, OffsetField, Segmented, SelectField, SpanField, TextField, TimeField } from "./basic.tsx";
import { ConditionsField, DetailsField, EventField } from "./conditions.tsx";
import { freePort, portName } from "./names.ts";

interface Given<T> {
  at: string;
  step: T & Step;
  set: (step: Step) => void;
}

/** The fields of a step, whatever its kind. */
export function StepFields({ at, step }: { at: string; step: Step }): ReactNode {
  const { graph, act } = useEditor();
  const set = (other: Step): void => act({ do: "change", graph: change(graph, at, other), of: `step:${at}` });
  const given = { at, set };
  switch (step.kind) {
    case "send":
      return <SendFields {...given} step={step} />;
    case "wait":
      return <WaitFields {...given} step={step} />;
    case "wait_for":
      return <WaitForFields {...given} step={step} />;
    case "branch":
      return <BranchFields {...given} step={step} />;
    case "split":
      return <SplitFields {...given} step={step} />;
    case "update":
      return <UpdateFields {...given} step={step} />;
    case "go_to":
      return <GoToFields {...given} step={step} />;
    case "repeat":
      return <RepeatFields {...given} step={step} />;
    case "task":
      return <TaskFields {...given} step={step} />;
    case "call":
      return <CallFields {...given} step={step} />;
    case "goal":
      return <p className="quiet">Who comes here did what the journey is for.</p>;
    case "exit":
      return <p className="quiet">The journey ends here for whoever comes here.</p>;
  }
}

function SendFields({ step, set }: Given<Send>): ReactNode {
  const { words } = useEditor();
  return (
    <>
      {words.languages.map((language) => (
        <SelectField
          key={language.id}
          label={`Template in ${language.label}`}
          none={`No message in ${language.label}`}
          value={step.versions[language.id] ?? ""}
          choices={words.templates.filter((each) => each.language === language.id).map((each) => ({ id: each.id, label: each.label }))}
          onChange={(id) => {
            const { [language.id]: _, ...others } = step.versions;
            const name = words.templates.find((each) => each.id === id)?.name;
            const title = name && Object.values(SENT).includes(step.title) ? name : step.title;
            set({ ...step, title, versions: id ? { ...others, [language.id]: id } : others });
          }}
        />
      ))}
      <p className="quiet">The gate decides for each person. Who may not get it goes on without it, unless you draw a way for them.</p>
    </>
  );
}

const WAITS: Choice[] = [
  { id: "span", label: "So long" },
  { id: "until", label: "Until an hour" },
  { id: "date", label: "Until a date" },
];

function WaitFields({ step, set }: Given<Wait>): ReactNode {
  const { words } = useEditor();
  const sort = step.span ? "span" : step.attribute ? "date" : "until";
  const { kind, title, ports } = step;
  const head = { kind, title, ports };
  const choose = (other: string): void => {
    if (other === "span") set({ ...head, span: { days: 7 } });
    else if (other === "date") set({ ...head, attribute: dates[0]?.id ?? "", offset: { days: -3 } });
    else set({ ...head, until_weekday: 1, until_time: "10:00" });
  };
  const dates = words.attributes.flatMap((each): Choice[] =>
    each.type === "date" ? [{ id: each.key, label: each.label }] : each.type === "records" ? [{ id: `${each.key}.date`, label: `${each.label}: the date` }] : [],
  );
  return (
    <>
      <Segmented label="How long" value={sort} choices={WAITS} onChange={choose} />
      {sort === "span" && <SpanField label="Wait" value={step.span} onChange={(span) => set({ ...head, span })} />}
      {sort === "until" && (
        <>
          <SelectField label="Day" none="Any day" value={step.until_weekday === undefined ? "" : String(step.until_weekday)} choices={WEEKDAYS.map((day, index) => ({ id: String(index), label: day }))} onChange={(day) => set({ ...head, ...(step.until_time ? { until_time: step.until_time } : {}), ...(day ? { until_weekday: Number(day) } : {}) })} />
          <TimeField label="Hour" help="Where the person lives." value={step.until_time ?? ""} onChange={(time) => set({ ...step, until_time: time || "10:00" })} />
        </>
      )}
      {sort === "date" && (
        <>
          <SelectField label="Date" help="When it moves, the wait moves with it." value={step.attribute ?? ""} choices={dates} onChange={(attribute) => set({ ...step, attribute })} />
          <OffsetField label="When" value={step.offset} onChange={(offset) => set({ ...step, offset })} />
          <TimeField label="Hour" help="Where the person lives; empty for any." value={step.at ?? ""} onChange={(time) => set(withOr(step, "at", time))} />
        </>
      )}
    </>
  );
}

/** A step with a field set, or without it when there is nothing to set. */
function withOr<S extends Step>(step: S, name: keyof S, value: string): Step {
  const { [name]: _, ...rest } = step;
  return (value ? { ...step, [name]: value } : rest) as Step;
}

function WaitForFields({ at, step, set }: Given<WaitFor>): ReactNode {
  const { graph } = useEditor();
  const { kind, title, ports, at_most } = step;
  const head = { kind, title, ports, at_most };
  const did = [step.event?.did ?? []].flat();
  const onEvent = step.condition === undefined;
  const engages = did.some((one) => ENGAGEMENT.includes(one));
  const setKind = (one: string): void => {
    const sent = ENGAGEMENT.includes(one) ? lastSend(graph, { step: at, port: "" }) : "";
    set({ ...head, event: { did: one }, ...(step.since ? { since: step.since } : {}), ...(sent ? { of_step: sent } : {}) });
  };
  return (
    <>
      <Segmented
        label="What for"
        value={onEvent ? "event" : "condition"}
        choices={[{ id: "event", label: "Something happens" }, { id: "condition", label: "A condition" }]}
        onChange={(sort) => set(sort === "event" ? { ...head, event: { did: "appointment_booked" } } : { ...head, condition: tree({ field: "email", exists: true }) })}
      />
      {onEvent ? (
        <>
          <EventField label="Event" value={did[0] ?? ""} onChange={setKind} />
          <DetailsField kind={did[0] ?? ""} value={step.event?.where ?? {}} onChange={(where) => set({ ...step, event: Object.keys(where).length ? { ...step.event, where } : { did } })} />
          {engages && <OfStepField at={at} value={step.of_step ?? ""} onChange={(of) => set(withOr(step, "of_step", of))} />}
          <SelectField
            label="Counts"
            none="From the arrival here"
            value={step.since ?? ""}
            choices={[{ id: "enter", label: "Since they came in" }, ...[...preceding(graph, at)].map((key) => ({ id: key, label: `Since “${graph.steps[key]?.title ?? key}”` }))]}
            onChange={(since) => set(withOr(step, "since", since))}
          />
        </>
      ) : (
        <ConditionsField label="Until this is true" value={step.condition} onChange={(condition) => set({ ...head, condition: condition ?? tree({ all: [] }) })} />
      )}
      <SpanField label="At most" value={step.at_most} onChange={(most) => set({ ...step, at_most: most })} />
    </>
  );
}

/** Of which message an opening or a click must be. */
function OfStepField({ at, value, onChange }: { at: string; value: string; onChange: (value: string) => void }): ReactNode {
  const { graph } = useEditor();
  const sends = [...preceding(graph, at)].filter((key) => graph.steps[key]?.kind === "send");
  return <SelectField label="Of which message" none="Of any message" value={value} choices={sends.map((key) => ({ id: key, label: graph.steps[key]?.title ?? key }))} onChange={onChange} />;
}

function PortNameField({ at, port, label }: { at: string; port: string; label: string }): ReactNode {
  const { graph, act } = useEditor();
  return (
    <TextField
      label={label}
      most={40}
      value={plain(port)}
      onChange={(typed) => {
        const name = portName(typed);
        if (name && name !== "else" && name !== "enter") act({ do: "change", graph: renamePort(graph, at, port, name), of: `port:${at}` });
      }}
    />
  );
}

function BranchFields({ at, step, set }: Given<Branch>): ReactNode {
  const give = (cases: Case[]): void => set({ ...step, cases });
  const taken = step.cases.map((each) => each.port);
  return (
    <>
      <p className="quiet">The first way whose conditions hold is taken; everybody else goes the last way.</p>
      {step.cases.map((each, index) => (
        <div className="je-case" key={index}>
          <div className="je-case-head">
            <PortNameField at={at} port={each.port} label={`Way ${index + 1}`} />
            <IconButton icon="higher" label={`Move way ${index + 1} up`} disabled={index === 0} onClick={() => give(swapped(step.cases, index, index - 1))} />
            <IconButton icon="lower" label={`Move way ${index + 1} down`} disabled={index === step.cases.length - 1} onClick={() => give(swapped(step.cases, index, index + 1))} />
            <IconButton icon="cross" label={`Remove way ${index + 1}`} onClick={() => give(step.cases.toSpliced(index, 1))} />
          </div>
          <ConditionsField label="Who goes this way" value={each.when} onChange={(when) => give(step.cases.with(index, { ...each, when: when ?? tree({ all: [] }) }))} />
          {eventsIn(each.when).some((kind) => ENGAGEMENT.includes(kind)) && (
            <OfStepField at={at} value={each.of_step ?? ""} onChange={(of) => give(step.cases.with(index, of ? { ...each, of_step: of } : { port: each.port, when: each.when }))} />
          )}
        </div>
      ))}
      <button type="button" className="btn is-small is-left-edge" disabled={step.cases.length >= 20} onClick={() => give([...step.cases, { port: freePort(taken, "way"), when: tree({ field: "email", exists: true }) }])}>Add a way</button>
    </>
  );
}

function swapped<T>(list: T[], one: number, other: number): T[] {
  const [a, b] = [list[one], list[other]];
  return a === undefined || b === undefined ? list : list.with(one, b).with(other, a);
}

function SplitFields({ at, step, set }: Given<Split>): ReactNode {
  const arms = Object.entries(step.weights);
  const share = shares(step.weights);
  const { control, ...rest } = step;
  return (
    <>
      <p className="quiet">By chance, and the same person always the same way.</p>
      {arms.map(([arm, weight], index) => (
        <div className="je-case" key={index}>
          <div className="je-case-head">
            <PortNameField at={at} port={arm} label={`Arm ${index + 1}`} />
            <IconButton icon="cross" label={`Remove arm ${index + 1}`} disabled={arms.length <= 2} onClick={() => set({ ...(control === arm ? rest : step), weights: Object.fromEntries(arms.toSpliced(index, 1)) })} />
          </div>
          <NumberField label="Weight" help={`${share[index] ?? ""} of all`} least={1} most={10_000} value={weight} onChange={(many) => set({ ...step, weights: { ...step.weights, [arm]: many } })} />
        </div>
      ))}
      <button type="button" className="btn is-small is-left-edge" disabled={arms.length >= 20} onClick={() => set({ ...step, weights: { ...step.weights, [freePort(Object.keys(step.weights), "arm")]: 50 } })}>Add an arm</button>
      <SelectField label="Compared with" none="No control arm" value={control ?? ""} choices={arms.map(([arm]) => ({ id: arm, label: plain(arm) }))} onChange={(arm) => set(arm ? { ...step, control: arm } : rest)} />
    </>
  );
}

function UpdateFields({ step, set }: Given<Update>): ReactNode {
  const { words } = useEditor();
  const given = Object.entries(step.attributes ?? {});
  const free = words.attributes.filter((each) => each.type !== "records" && each.type !== "presence" && each.key !== "age" && !(each.key in (step.attributes ?? {})));
  const lists = words.segments.filter((each) => each.static);
  const give = (attributes: { [key: string]: unknown }): void => set({ ...step, attributes });
  return (
    <>
      <Group label="What is known of them">
        {given.map(([key, value]) => (
          <div className="je-rule" key={key}>
            <AttributeValue name={key} value={value} onChange={(other) => give({ ...step.attributes, [key]: other })} />
            <IconButton icon="cross" label={`Leave ${plain(key)} alone`} onClick={() => give(Object.fromEntries(given.filter(([other]) => other !== key)))} />
          </div>
        ))}
        <SelectField label="Set another" quiet value="" none="Set something" choices={free.map((each) => ({ id: each.key, label: each.label }))} onChange={(key) => give({ ...step.attributes, [key]: words.attributes.find((each) => each.key === key)?.type === "bool" ? true : "" })} />
      </Group>
      <ManyField label="No more of these topics" help="On every channel. Taking somebody off needs no consent." value={step.opt_out_topics ?? []} choices={words.topics.map((topic) => ({ id: topic, label: plain(topic) }))} onChange={(topics) => set({ ...step, opt_out_topics: topics })} />
      {lists.length > 0 && (
        <>
          <ManyField label="Put into" value={step.add_to ?? []} choices={lists} onChange={(ids) => set({ ...step, add_to: ids })} />
          <ManyField label="Take out of" value={step.remove_from ?? []} choices={lists} onChange={(ids) => set({ ...step, remove_from: ids })} />
        </>
      )}
    </>
  );
}

function AttributeValue({ name, value, onChange }: { name: string; value: unknown; onChange: (value: unknown) => void }): ReactNode {
  const { words } = useEditor();
  const attribute = words.attributes.find((each) => each.key === name);
  const label = attribute?.label ?? plain(name);
  if (attribute?.type === "bool") {
    return <SelectField label={label} none="Clear it" value={value === null ? "" : value ? "yes" : "no"} choices={[{ id: "yes", label: "yes" }, { id: "no", label: "no" }]} onChange={(word) => onChange(word ? word === "yes" : null)} />;
  }
  if (attribute?.codes) {
    return <SelectField label={label} none="Clear it" value={String(value ?? "")} choices={attribute.codes} onChange={(code) => onChange(code || null)} />;
  }
  if (attribute?.type === "number") return <NumberField label={label} least={-1e9} most={1e9} whole={false} value={Number(value ?? 0)} onChange={onChange} />;
  return <TextField label={label} help="Empty clears it." value={String(value ?? "")} onChange={(text) => onChange(text || null)} />;
}

function GoToFields({ step, set }: Given<GoTo>): ReactNode {
  const { words } = useEditor();
  const { journey_id: _, ...here } = step;
  return <SelectField label="Journey" none="Another step of this journey" help="They leave this journey and come into that one." value={step.journey_id ?? ""} choices={words.journeys} onChange={(id) => set(id ? { ...here, journey_id: id, ports: {} } : here)} />;
}

function RepeatFields({ step, set }: Given<Repeat>): ReactNode {
  return (
    <>
      <NumberField label="At most so many times" least={1} most={100} value={step.times} onChange={(times) => set({ ...step, times })} />
      <SpanField label="Not before" help="So long must have passed each time." value={step.interval} onChange={(interval) => set({ ...step, interval })} />
    </>
  );
}

function TaskFields({ step, set }: Given<Task>): ReactNode {
  const { words } = useEditor();
  return (
    <>
      <SelectField label="Whose inbox" value={step.role} choices={words.roles} onChange={(role) => set({ ...step, role })} />
      <SelectField label="Who sees it too" none="Nobody else" value={step.deputy ?? ""} choices={words.roles.filter((each) => each.id !== step.role)} onChange={(role) => set(withOr(step, "deputy", role))} />
      <TextField label="What they need to know" rows={4} most={4_000} value={step.instructions ?? ""} onChange={(text) => set(withOr(step, "instructions", text))} />
      <SpanField label="At most" value={step.at_most} onChange={(most) => set({ ...step, at_most: most })} />
    </>
  );
}

function CallFields({ step, set }: Given<Call>): ReactNode {
  const { words } = useEditor();
  return (
    <>
      <SelectField label="Service" help="Services in scope of an agreement." value={step.service_id} choices={words.services} onChange={(id) => set({ ...step, service_id: id })} />
      <ManyField label="What it is told" value={step.fields ?? []} choices={words.attributes.filter((each) => each.key !== "age").map((each) => ({ id: each.key, label: each.label }))} onChange={(fields) => set({ ...step, fields })} />
      <SpanField label="Tried for" value={step.at_most ?? { days: 1 }} onChange={(most) => set({ ...step, at_most: most })} />
    </>
  );
}

