/** How people come in: each way with its fields. */

import type { ReactNode } from "react";
import type { Enter, EnterKind } from "../graph/types.ts";
import { WEEKDAYS } from "../graph/words.ts";
import type { Choice, Vocabulary } from "../server.ts";
import { useEditor } from "../state.ts";
import { CheckField, IconButton, NumberField, OffsetField, SelectField, TextField, TimeField } from "./basic.tsx";
import { DetailsField, EventField } from "./conditions.tsx";

const KINDS: (Choice & { id: EnterKind })[] = [
  { id: "segment_entered", label: "Comes into a segment" },
  { id: "segment_left", label: "Leaves a segment" },
  { id: "event", label: "Something happens" },
  { id: "date", label: "A date comes near" },
  { id: "form", label: "Sends a form" },
  { id: "schedule", label: "On a schedule" },
  { id: "by_hand", label: "By hand or by file" },
  { id: "api", label: "A program puts them in" },
];

export function EnterFields(): ReactNode {
  const { graph, words, act } = useEditor();
  const give = (enter: Enter[]): void => act({ do: "change", graph: { ...graph, enter }, of: "enter" });
  return (
    <div className="stack is-tight">
      {graph.enter.length === 0 && <p className="quiet">Nobody comes in yet. Say how.</p>}
      {graph.enter.map((way, index) => (
        <div className="je-case" key={index}>
          <div className="je-case-head">
            <SelectField label={graph.enter.length > 1 ? `Way in ${index + 1}` : "Who comes in"} value={way.kind} choices={KINDS.filter(({ id }) => id !== "form" || way.kind === "form" || words.events.some((each) => each.kind === "form_completed"))} onChange={(kind) => give(graph.enter.with(index, first(kind as EnterKind, words)))} />
            <IconButton icon="cross" label={`Remove way in ${index + 1}`} onClick={() => give(graph.enter.toSpliced(index, 1))} />
          </div>
          <WayFields way={way} set={(other) => give(graph.enter.with(index, other))} />
        </div>
      ))}
      <button type="button" className="btn is-small is-left-edge" onClick={() => give([...graph.enter, first("segment_entered", words)])}>Add a way in</button>
    </div>
  );
}

function first(kind: EnterKind, words: Vocabulary): Enter {
  switch (kind) {
    case "event":
      return { kind, event: { did: words.events[0]?.kind ?? "visit" } };
    case "date":
      return { kind, attribute: dates(words)[0]?.id ?? "birth_date", offset: { days: 0 }, yearly: true, at: "09:00" };
    case "form":
      return { kind, form: "" };
    case "schedule":
      return { kind, every: "month", on: 1, at: "09:00" };
    default:
      return { kind };
  }
}

function dates(words: Vocabulary): Choice[] {
  return words.attributes.flatMap((each): Choice[] =>
    each.type === "date" ? [{ id: each.key, label: each.label }] : each.type === "records" ? [{ id: `${each.key}.date`, label: `${each.label}: the date` }] : [],
  );
}

function WayFields({ way, set }: { way: Enter; set: (way: Enter) => void }): ReactNode {
  const { words } = useEditor();
  const { segment_id: _, ...withoutSegment } = way;
  const segment = (
    <SelectField label="Segment" none="Choose a segment" value={way.segment_id ?? ""} choices={words.segments} onChange={(id) => set(id ? { ...way, segment_id: id } : withoutSegment)} />
  );
  switch (way.kind) {
    case "segment_entered":
      return (
        <>
          {segment}
          <CheckField label="Also who is in it at the start" value={way.present ?? false} onChange={(present) => set({ ...way, present })} />
        </>
      );
    case "segment_left":
      return segment;
    case "event": {
      const kind = String([way.event?.did ?? ""].flat()[0]);
      return (
        <>
          <EventField label="Event" value={kind} onChange={(did) => set({ ...way, event: { did } })} />
          <DetailsField kind={kind} value={way.event?.where ?? {}} onChange={(where) => set({ ...way, event: Object.keys(where).length ? { did: kind, where } : { did: kind } })} />
        </>
      );
    }
    case "date":
      return (
        <>
          <SelectField label="Date" value={way.attribute ?? ""} choices={dates(words)} onChange={(attribute) => set({ ...way, attribute, yearly: !attribute.includes(".") && (way.yearly ?? false) })} />
          <OffsetField label="When" value={way.offset} onChange={(offset) => set({ ...way, offset })} />
          <TimeField label="Hour" help="By the clinic's clock." value={way.at ?? ""} onChange={(at) => set({ ...way, at: at || "09:00" })} />
          <CheckField label="Every year" help="Birthdays and anniversaries." value={way.yearly ?? false} onChange={(yearly) => set({ ...way, yearly })} />
        </>
      );
    case "form":
      return <TextField label="Form" help="Its key, as whoever tells Salus of the form writes it." value={way.form ?? ""} most={100} onChange={(form) => set({ ...way, form })} />;
    case "schedule":
      return (
        <>
          {segment}
          <SelectField label="Every" value={way.every ?? "month"} choices={["day", "week", "month"].map((id) => ({ id, label: id }))} onChange={(every) => set({ ...way, every, on: every === "month" ? 1 : 0 })} />
          {way.every === "week" && <SelectField label="Day" value={String(way.on ?? 0)} choices={WEEKDAYS.map((label, index) => ({ id: String(index), label }))} onChange={(on) => set({ ...way, on: Number(on) })} />}
          {way.every === "month" && <NumberField label="Day of the month" least={1} most={28} value={way.on ?? 1} onChange={(on) => set({ ...way, on })} />}
          <TimeField label="Hour" help="By the clinic's clock." value={way.at ?? ""} onChange={(at) => set({ ...way, at: at || "09:00" })} />
        </>
      );
    case "by_hand":
      return <p className="quiet">Somebody whose role may, on the journey's page.</p>;
    case "api":
      return <p className="quiet">A program with an API key that may.</p>;
  }
}
