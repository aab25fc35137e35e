/** The fields of forms: a label, a control, help. */

import { useId, useState, type ReactNode } from "react";
import { Icon } from "../view/Icon.tsx";
import type { Duration, Unit } from "../graph/types.ts";
import { minutesOf } from "../graph/words.ts";
import type { Choice } from "../server.ts";

interface Common {
  label: string;
  help?: string | undefined;
  /** A label that is only read out: the form says it by its place. */
  quiet?: boolean;
}

function Field({ label, help, quiet, id, children }: Common & { id: string; children: ReactNode }): ReactNode {
  return (
    <div className="field">
      <label htmlFor={id} className={quiet ? "only-read" : undefined}>{label}</label>
      {children}
      {help && <span className="help" id={`${id}-help`}>{help}</span>}
    </div>
  );
}

/** Fields that belong together under one name. */
export function Group({ label, help, children }: Common & { children: ReactNode }): ReactNode {
  const id = useId();
  return (
    <fieldset className="field" aria-describedby={help ? `${id}-help` : undefined}>
      <legend className="label">{label}</legend>
      {children}
      {help && <span className="help" id={`${id}-help`}>{help}</span>}
    </fieldset>
  );
}

interface Text extends Common {
  value: string;
  onChange: (value: string) => void;
  most?: number;
  rows?: number;
  suggest?: string[];
}

export function TextField({ value, onChange, most = 200, rows, suggest, ...about }: Text): ReactNode {
  const id = useId();
  const common = {
    id,
    className: "input",
    value,
    maxLength: most,
    "aria-describedby": about.help ? `${id}-help` : undefined,
    autoComplete: "off",
    onChange: (event: { target: { value: string } }): void => onChange(event.target.value),
  };
  return (
    <Field {...about} id={id}>
      {rows ? <textarea {...common} rows={rows} /> : <input {...common} type="text" list={suggest ? `${id}-list` : undefined} />}
      {suggest && <datalist id={`${id}-list`}>{suggest.map((one) => <option key={one} value={one} />)}</datalist>}
    </Field>
  );
}

interface Numeric extends Common {
  value: number;
  onChange: (value: number) => void;
  least?: number;
  most?: number;
  whole?: boolean;
}

export function NumberField({ value, onChange, least = 0, most = 100_000, whole = true, ...about }: Numeric): ReactNode {
  const id = useId();
  const [typed, setTyped] = useState<string>();
  const take = (text: string): void => {
    setTyped(text);
    const given = Number(text);
    if (text.trim() && given >= least && given <= most && (!whole || Number.isInteger(given))) onChange(given);
  };
  return (
    <Field {...about} id={id}>
      <input
        id={id}
        className="input"
        type="number"
        inputMode={whole ? "numeric" : "decimal"}
        min={least}
        max={most}
        step={whole ? 1 : "any"}
        value={typed ?? String(value)}
        aria-describedby={about.help ? `${id}-help` : undefined}
        onChange={(event) => take(event.target.value)}
        onBlur={() => setTyped(undefined)}
      />
    </Field>
  );
}

interface Chosen extends Common {
  value: string;
  choices: Choice[];
  onChange: (value: string) => void;
  /** What stands for nothing chosen; without it something is always chosen. */
  none?: string;
  /** What is said of a value that is none of the choices. */
  unknown?: string;
}

export function SelectField({ value, choices, onChange, none, unknown, ...about }: Chosen): ReactNode {
  const id = useId();
  const known = value === "" || choices.some((one) => one.id === value);
  return (
    <Field {...about} id={id}>
      <select id={id} className="input" value={value} aria-describedby={about.help ? `${id}-help` : undefined} onChange={(event) => onChange(event.target.value)}>
        {(none !== undefined || value === "") && <option value="">{none ?? "Choose"}</option>}
        {!known && <option value={value}>{unknown ?? "No longer there"}</option>}
        {choices.map((one) => <option key={one.id} value={one.id}>{one.label}</option>)}
      </select>
    </Field>
  );
}

export function CheckField({ value, onChange, label, help }: { value: boolean; onChange: (value: boolean) => void } & Common): ReactNode {
  const id = useId();
  return (
    <label className="choice">
      <input type="checkbox" checked={value} aria-describedby={help ? `${id}-help` : undefined} onChange={(event) => onChange(event.target.checked)} />
      <span>{label}</span>
      {help && <span className="quiet" id={`${id}-help`}>{help}</span>}
    </label>
  );
}

export function TimeField({ value, onChange, ...about }: { value: string; onChange: (value: string) => void } & Common): ReactNode {
  const id = useId();
  return (
    <Field {...about} id={id}>
      <input id={id} className="input" type="time" value={value} aria-describedby={about.help ? `${id}-help` : undefined} onChange={(event) => onChange(event.target.value)} />
    </Field>
  );
}

/** Some of several choices. */
export function ManyField({ value, choices, onChange, label, help }: { value: string[]; choices: Choice[]; onChange: (value: string[]) => void } & Common): ReactNode {
  return (
    <Group label={label} help={help}>
      <div className="je-many">
        {choices.map((one) => (
          <label className="choice" key={one.id}>
            <input
              type="checkbox"
              checked={value.includes(one.id)}
              onChange={(event) => onChange(event.target.checked ? [...value, one.id] : value.filter((each) => each !== one.id))}
            />
            <span>{one.label}</span>
          </label>
        ))}
      </div>
    </Group>
  );
}

const UNITS: Choice[] = ["minutes", "hours", "days", "weeks"].map((unit) => ({ id: unit, label: unit }));

interface Span extends Common {
  value: Duration | undefined;
  onChange: (value: Duration) => void;
}

export function SpanField({ value, onChange, ...about }: Span): ReactNode {
  const unit = unitOf(value);
  return (
    <Group {...about}>
      <div className="je-pair">
        <NumberField label="How many" quiet value={Math.abs(value?.[unit] ?? 0)} onChange={(count) => onChange({ [unit]: count })} />
        <SelectField label="Of what" quiet value={unit} choices={UNITS} onChange={(other) => onChange({ [other]: Math.abs(value?.[unit] ?? 0) })} />
      </div>
    </Group>
  );
}

/** So long before or after a date, or on the day of it. */
export function OffsetField({ value, onChange, ...about }: Span): ReactNode {
  const unit = unitOf(value);
  const count = Math.abs(value?.[unit] ?? 0);
  const side = minutesOf(value) < 0 ? "before" : minutesOf(value) > 0 ? "after" : "on";
  const give = (many: number, of: string, where: string): void => onChange(where === "on" ? { days: 0 } : { [of]: where === "before" ? -many : many });
  return (
    <Group {...about}>
      <div className="je-triple">
        {side !== "on" && (
          <>
            <NumberField label="How many" quiet least={1} value={count} onChange={(many) => give(many, unit, side)} />
            <SelectField label="Of what" quiet value={unit} choices={UNITS} onChange={(of) => give(count, of, side)} />
          </>
        )}
        <SelectField
          label="Before or after"
          quiet
          value={side}
          choices={[{ id: "before", label: "before" }, { id: "on", label: "on the day of" }, { id: "after", label: "after" }]}
          onChange={(where) => give(count || 1, unit, where)}
        />
      </div>
    </Group>
  );
}

function unitOf(value: Duration | undefined): Unit {
  return (Object.keys(value ?? {})[0] as Unit | undefined) ?? "days";
}

/** One of two to five ways, side by side. */
export function Segmented({ label, value, choices, onChange, quiet }: { value: string; choices: Choice[]; onChange: (value: string) => void } & Common): ReactNode {
  const name = useId();
  return (
    <fieldset className="field">
      <legend className={quiet ? "only-read" : "label"}>{label}</legend>
      <div className="seg">
        {choices.map((one) => (
          <label key={one.id}>
            <input type="radio" name={name} checked={value === one.id} onChange={() => onChange(one.id)} />
            {one.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function IconButton({ icon, label, onClick, disabled }: { icon: string; label: string; onClick: () => void; disabled?: boolean }): ReactNode {
  return (
    <button type="button" className="icon-btn" aria-label={label} title={label} onClick={onClick} disabled={disabled}>
      <Icon name={icon} />
    </button>
  );
}
