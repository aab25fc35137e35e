/** Conditions on a person: a segment, something known, something that happened; anything else as JSON. */

import { useId, useState, type ReactNode } from "react";
import { OPERATORS, firstValue, newTest, shown, takes, treeOf, type Simple, type Test } from "../graph/conditions.ts";
import type { Rule, Tree } from "../graph/types.ts";
import { plain } from "../graph/words.ts";
import type { Choice, ValueType, Vocabulary } from "../server.ts";
import { useEditor } from "../state.ts";
import { CheckField, Group, IconButton, ManyField, NumberField, Segmented, SelectField, TextField } from "./basic.tsx";

const ABOUT: Choice[] = [
  { id: "segment", label: "A segment" },
  { id: "field", label: "What is known" },
  { id: "did", label: "It happened" },
  { id: "did_not", label: "It did not happen" },
];
const UNITS: Choice[] = ["hours", "days", "weeks"].map((unit) => ({ id: unit, label: unit }));
const FAR_UNITS: Choice[] = ["days", "weeks", "months", "years"].map((unit) => ({ id: unit, label: unit }));

interface Given {
  label: string;
  value: Tree | undefined;
  onChange: (value: Tree | undefined) => void;
}

export function ConditionsField({ label, value, onChange }: Given): ReactNode {
  const { words } = useEditor();
  const simple = shown(value);
  const [expert, setExpert] = useState(simple === undefined);
  if (expert || !simple) {
    return (
      <Group label={label}>
        <JsonField value={value} onChange={onChange} />
        {simple && <button type="button" className="btn is-plain is-small is-left" onClick={() => setExpert(false)}>Show as a form</button>}
      </Group>
    );
  }
  const give = (rules: Simple[]): void => onChange(treeOf({ ...simple, rules }));
  return (
    <Group label={label}>
      {simple.rules.length > 1 && (
        <Segmented label="How they join" quiet value={simple.join} choices={[{ id: "all", label: "All of these" }, { id: "any", label: "Any of these" }]} onChange={(join) => onChange(treeOf({ ...simple, join: join as "all" | "any" }))} />
      )}
      {simple.rules.map((rule, index) => (
        <div className="je-rule" key={index}>
          <RuleFields rule={rule} onChange={(other) => give(simple.rules.with(index, other))} />
          <IconButton icon="cross" label={`Remove condition ${index + 1}`} onClick={() => give(simple.rules.toSpliced(index, 1))} />
        </div>
      ))}
      <div className="row">
        <button type="button" className="btn is-plain is-small is-left" onClick={() => give([...simple.rules, first("segment", words)])}>Add a condition</button>
        <button type="button" className="btn is-plain is-small push" onClick={() => setExpert(true)}>JSON</button>
      </div>
    </Group>
  );
}

function first(about: string, words: Vocabulary): Simple {
  const attribute = words.attributes[0];
  switch (about) {
    case "field":
      return { about: "field", key: attribute?.key ?? "age", test: newTest(attribute?.type ?? "number") };
    case "did":
    case "did_not":
      return { about, kind: words.events[0]?.kind ?? "visit", within: { days: 30 } };
    default:
      return { about: "segment", id: words.segments[0]?.id ?? "" };
  }
}

function RuleFields({ rule, onChange }: { rule: Simple; onChange: (rule: Simple) => void }): ReactNode {
  const { words } = useEditor();
  return (
    <>
      <SelectField label="About" quiet value={rule.about} choices={ABOUT} onChange={(about) => onChange(first(about, words))} />
      {rule.about === "segment" && (
        <SelectField label="Segment" quiet none="Choose a segment" value={rule.id} choices={words.segments} onChange={(id) => onChange({ ...rule, id })} />
      )}
      {rule.about === "field" && <FieldTest rule={rule} onChange={onChange} />}
      {(rule.about === "did" || rule.about === "did_not") && (
        <>
          <EventField label="What" quiet value={rule.kind} onChange={(kind) => onChange({ ...rule, kind })} />
          <CheckField label="within the last" value={rule.within !== undefined} onChange={(on) => onChange({ ...rule, within: on ? { days: 30 } : undefined })} />
          {rule.within && <SpanOf value={rule.within} units={UNITS} onChange={(within) => onChange({ ...rule, within })} />}
        </>
      )}
    </>
  );
}

function FieldTest({ rule, onChange }: { rule: Simple & { about: "field" }; onChange: (rule: Simple) => void }): ReactNode {
  const { words } = useEditor();
  const attribute = words.attributes.find((each) => each.key === rule.key);
  const type: ValueType = attribute?.type ?? "text";
  return (
    <>
      <SelectField
        label="Which"
        quiet
        value={rule.key}
        choices={words.attributes.map((each) => ({ id: each.key, label: each.label }))}
        onChange={(key) => onChange({ ...rule, key, test: newTest(words.attributes.find((each) => each.key === key)?.type ?? "text") })}
      />
      <TestFields type={type} codes={attribute?.codes} test={rule.test} onChange={(test) => onChange({ ...rule, test })} />
    </>
  );
}

interface Tested {
  type: ValueType;
  codes?: Choice[] | undefined;
  test: Test;
  onChange: (test: Test) => void;
}

/** An operator and what it is compared with. */
export function TestFields({ type, codes, test, onChange }: Tested): ReactNode {
  const { op, value } = test;
  const give = (other: unknown): void => onChange({ op, value: other });
  return (
    <>
      <SelectField label="How" quiet value={op} choices={OPERATORS[type].map(([id, label]) => ({ id, label }))} onChange={(other) => onChange({ op: other, value: firstValue(other, type) })} />
      <ValueFields form={takes(op, type)} type={type} codes={codes} value={value} onChange={give} />
    </>
  );
}

function ValueFields({ form, type, codes, value, onChange }: { form: string; type: ValueType; codes: Choice[] | undefined; value: unknown; onChange: (value: unknown) => void }): ReactNode {
  switch (form) {
    case "yes":
      return <SelectField label="Yes or no" quiet value={value === false ? "no" : "yes"} choices={[{ id: "yes", label: "yes" }, { id: "no", label: "no" }]} onChange={(word) => onChange(word === "yes")} />;
    case "span":
      return <SpanOf value={value as { [unit: string]: number }} units={type === "instant" ? UNITS : FAR_UNITS} onChange={onChange} />;
    case "number":
      return <NumberField label="Value" quiet least={-1e9} most={1e9} whole={false} value={Number(value)} onChange={onChange} />;
    case "list": {
      const list = [value].flat().map(String);
      return codes ? <ManyField label="Which" value={list} choices={codes} onChange={onChange} /> : <ListField value={list} onChange={onChange} />;
    }
    default:
      return <TextField label="Value" quiet value={String(value)} onChange={onChange} />;
  }
}

/** Several values in one line. */
function ListField({ value, onChange }: { value: string[]; onChange: (value: string[]) => void }): ReactNode {
  const [typed, setTyped] = useState(value.join("; "));
  const take = (text: string): void => {
    setTyped(text);
    onChange(text.split(";").map((one) => one.trim()).filter(Boolean));
  };
  return <TextField label="Values" quiet help="Several with a semicolon between." value={typed} onChange={take} most={2_000} />;
}

function SpanOf({ value, units, onChange }: { value: { [unit: string]: number }; units: Choice[]; onChange: (value: { [unit: string]: number }) => void }): ReactNode {
  const unit = Object.keys(value)[0] ?? "days";
  return (
    <div className="je-pair">
      <NumberField label="How many" quiet value={value[unit] ?? 0} onChange={(count) => onChange({ [unit]: count })} />
      <SelectField label="Of what" quiet value={unit} choices={units} onChange={(other) => onChange({ [other]: value[unit] ?? 0 })} />
    </div>
  );
}

/** A kind of event; one that nobody tells of here is named, but not offered. */
export function EventField({ label, quiet, value, onChange }: { label: string; quiet?: boolean; value: string; onChange: (kind: string) => void }): ReactNode {
  const { words } = useEditor();
  const choices = words.events.map((each) => ({ id: each.kind, label: each.label }));
  return <SelectField label={label} {...(quiet ? { quiet } : {})} value={value} choices={choices} unknown={`${plain(value)} (nobody tells of it)`} onChange={onChange} />;
}

/** The details that an event must have. */
export function DetailsField({ kind, value, onChange }: { kind: string; value: { [detail: string]: unknown }; onChange: (value: { [detail: string]: unknown }) => void }): ReactNode {
  const { words } = useEditor();
  const details = words.events.find((each) => each.kind === kind)?.details ?? [];
  const asked = Object.entries(value);
  const free = details.filter((each) => !(each.key in value));
  if (!details.length && !asked.length) return null;
  return (
    <Group label="Only those with">
      {asked.map(([key, test]) => {
        const detail = details.find((each) => each.key === key);
        const [op, operand] = Object.entries(test as Rule)[0] ?? ["exists", true];
        const type = detail?.type ?? "text";
        return (
          <div className="je-rule" key={key}>
            <span className="label">{detail?.label ?? key}</span>
            <TestFields type={type} test={{ op, value: operand }} onChange={(other) => onChange({ ...value, [key]: { [other.op]: other.value } })} />
            <IconButton icon="cross" label={`Remove ${detail?.label ?? key}`} onClick={() => onChange(Object.fromEntries(asked.filter(([other]) => other !== key)))} />
          </div>
        );
      })}
      {free.length > 0 && (
        <SelectField
          label="Add a detail"
          quiet
          value=""
          none="Add a detail"
          choices={free.map((each) => ({ id: each.key, label: each.label }))}
          onChange={(key) => {
            const test = newTest(free.find((each) => each.key === key)?.type ?? "text");
            onChange({ ...value, [key]: { [test.op]: test.value } });
          }}
        />
      )}
    </Group>
  );
}

function JsonField({ value, onChange }: { value: Tree | undefined; onChange: (value: Tree | undefined) => void }): ReactNode {
  const id = useId();
  const [text, setText] = useState(() => JSON.stringify(value ?? { version: 1, where: { all: [] } }, null, 2));
  const [fault, setFault] = useState("");
  const take = (typed: string): void => {
    setText(typed);
    const found = parsed(typed);
    setFault(found ? "" : "This is not a segment in JSON yet.");
    if (found) onChange(found);
  };
  return (
    <>
      <label className="only-read" htmlFor={id}>Condition as JSON</label>
      <textarea id={id} className="input mono" rows={9} spellCheck={false} value={text} aria-invalid={fault !== ""} aria-describedby={fault ? `${id}-fault` : undefined} onChange={(event) => take(event.target.value)} />
      {fault && <span className="error" id={`${id}-fault`}>{fault}</span>}
    </>
  );
}

function parsed(text: string): Tree | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return found !== null && typeof found === "object" && !Array.isArray(found) ? (found as Tree) : undefined;
  } catch {
    return undefined;
  }
}

