/** What holds for the whole journey: its name, who comes again, what ends it early, when nothing is sent. */

import type { ReactNode } from "react";
import { tree } from "../graph/fresh.ts";
import type { EndsOn, Ending, Rules } from "../graph/types.ts";
import { plain } from "../graph/words.ts";
import type { Choice } from "../server.ts";
import { useEditor } from "../state.ts";
import { CheckField, Group, IconButton, NumberField, SelectField, SpanField, TextField, TimeField } from "./basic.tsx";
import { ConditionsField, DetailsField, EventField } from "./conditions.tsx";

const AGAIN: Choice[] = [
  { id: "never", label: "Never" },
  { id: "after", label: "After some time" },
  { id: "always", label: "Always" },
];
const ENDS: (Choice & { id: EndsOn })[] = [
  { id: "goal", label: "The goal is reached" },
  { id: "segment_left", label: "They leave a segment" },
  { id: "opted_out", label: "They opt out" },
  { id: "event", label: "Something happens" },
];

export function JourneyFields(): ReactNode {
  const { graph, act } = useEditor();
  const { rules } = graph;
  const set = (other: Rules): void => act({ do: "change", graph: { ...graph, rules: other }, of: "rules" });
  const quiet = rules.quiet_from !== null;
  return (
    <div className="stack">
      <TextField label="Name" help="Only staff see it. It is never sent to anyone." value={graph.name} onChange={(name) => act({ do: "change", graph: { ...graph, name }, of: "name" })} />
      <TextField label="Note" help="What others should know of it." rows={3} most={4_000} value={graph.note ?? ""} onChange={(note) => act({ do: "change", graph: { ...graph, note }, of: "note" })} />
      <SelectField label="May somebody come in again?" help="Never twice at once." value={rules.again ?? "never"} choices={AGAIN} onChange={(again) => set(again === "after" ? { ...rules, again, again_after: rules.again_after ?? { days: 180 } } : without({ ...rules, again: again as Rules["again"] & string }, "again_after"))} />
      {rules.again === "after" && <SpanField label="After" value={rules.again_after ?? { days: 180 }} onChange={(again_after) => set({ ...rules, again_after })} />}
      <EndingFields endings={rules.endings ?? []} set={(endings) => set({ ...rules, endings })} />
      <Group label="Quiet hours" help="Where the person lives. Transactional mail does not wait.">
        <CheckField label="No messages at night" value={quiet} onChange={(on) => set(on ? { ...rules, quiet_from: "20:00", quiet_until: "08:00" } : { ...rules, quiet_from: null, quiet_until: null })} />
        {quiet && (
          <div className="je-pair is-even">
            <TimeField label="From" value={rules.quiet_from ?? "20:00"} onChange={(time) => set({ ...rules, quiet_from: time || "20:00", quiet_until: rules.quiet_until ?? "08:00" })} />
            <TimeField label="Until" value={rules.quiet_until ?? "08:00"} onChange={(time) => set({ ...rules, quiet_until: time || "08:00", quiet_from: rules.quiet_from ?? "20:00" })} />
          </div>
        )}
        <CheckField label="None on public holidays" value={rules.holidays ?? true} onChange={(holidays) => set({ ...rules, holidays })} />
      </Group>
      <NumberField label="Priority, 0 to 100" help="Of two journeys that want a person on one day, the higher one writes; the other waits a day." most={100} value={rules.priority ?? 50} onChange={(priority) => set({ ...rules, priority })} />
      <SpanField label="Nobody stays longer than" value={rules.at_most ?? { days: 365 }} onChange={(at_most) => set({ ...rules, at_most })} />
    </div>
  );
}

function without(rules: Rules, name: keyof Rules): Rules {
  const { [name]: _, ...rest } = rules;
  return rest;
}

function EndingFields({ endings, set }: { endings: Ending[]; set: (endings: Ending[]) => void }): ReactNode {
  const { words } = useEditor();
  const give = (index: number, ending: Ending): void => set(endings.with(index, ending));
  return (
    <Group label="What ends it early" help="Who died always leaves.">
      {endings.map((ending, index) => (
        <div className="je-case" key={index}>
          <div className="je-case-head">
            {ending.on === "deceased" ? (
              <span className="label">The person died</span>
            ) : (
              <SelectField label="When" quiet value={ending.on} choices={ENDS} onChange={(on) => give(index, first(on as EndsOn, words.events[0]?.kind))} />
            )}
            <IconButton icon="cross" label={`Remove early end ${index + 1}`} onClick={() => set(endings.toSpliced(index, 1))} />
          </div>
          {ending.on === "goal" && <ConditionsField label="It is reached when" value={ending.when} onChange={(when) => give(index, { on: "goal", when: when ?? tree({ all: [] }) })} />}
          {ending.on === "segment_left" && <SelectField label="Segment" none="Choose a segment" value={ending.segment_id ?? ""} choices={words.segments} onChange={(id) => give(index, id ? { on: "segment_left", segment_id: id } : { on: "segment_left" })} />}
          {ending.on === "opted_out" && <SelectField label="Of what" none="Of everything" value={ending.topic ?? ""} choices={words.topics.map((topic) => ({ id: topic, label: plain(topic) }))} onChange={(topic) => give(index, topic ? { on: "opted_out", topic } : { on: "opted_out" })} />}
          {ending.on === "event" && <EventFields ending={ending} set={(other) => give(index, other)} />}
        </div>
      ))}
      <button type="button" className="btn is-small is-left-edge" disabled={endings.length >= 20} onClick={() => set([...endings, first(endings.length ? "event" : "opted_out", words.events[0]?.kind)])}>Add an early end</button>
    </Group>
  );
}

function EventFields({ ending, set }: { ending: Ending; set: (ending: Ending) => void }): ReactNode {
  const did = String([ending.event?.did ?? ""].flat()[0]);
  return (
    <>
      <EventField label="Event" value={did} onChange={(kind) => set({ on: "event", event: { did: kind } })} />
      <DetailsField kind={did} value={ending.event?.where ?? {}} onChange={(where) => set({ on: "event", event: Object.keys(where).length ? { did, where } : { did } })} />
    </>
  );
}

function first(on: EndsOn, event: string | undefined): Ending {
  if (on === "goal") return { on, when: tree({ did: "appointment_booked" }) };
  return on === "event" ? { on, event: { did: event ?? "appointment_cancelled" } } : { on };
}
