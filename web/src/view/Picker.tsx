/** What may come next at a port: new steps by what they are for, and steps that are there already. */

import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { add, connect } from "../graph/edit.ts";
import { fresh } from "../graph/fresh.ts";
import { offers, targets, type Offer } from "../graph/legal.ts";
import { portsOf } from "../graph/ports.ts";
import type { Kind, PortAt } from "../graph/types.ts";
import { CHANNELS, GLYPHS, KINDS, kindOf, portSaid, portWords } from "../graph/words.ts";
import { order, targetOf } from "../graph/walk.ts";
import { IconButton, SelectField } from "../fields/basic.tsx";
import { useEditor } from "../state.ts";
import { Icon } from "./Icon.tsx";

const GROUPS: { name: string; kinds: Kind[] }[] = [
  { name: "Write", kinds: ["send"] },
  { name: "Wait", kinds: ["wait", "wait_for"] },
  { name: "Decide", kinds: ["branch", "split", "repeat"] },
  { name: "Do", kinds: ["update", "task", "call"] },
  { name: "End", kinds: ["goal", "exit", "go_to"] },
];
const SAYS: { [K in Kind]?: string } = {
  wait: "so long, or until a date",
  wait_for: "with a time limit",
  branch: "by what is known",
  split: "by chance",
  repeat: "the only way back",
  update: "note what is known",
  task: "for somebody's inbox",
  call: "by a signed webhook",
};
const WIDE = 340;

export function Picker({ at }: { at: PortAt }): ReactNode {
  const { act } = useEditor();
  const dialog = useRef<HTMLDialogElement>(null);
  const [place, setPlace] = useState<{ left: number; top: number; maxHeight: number }>();

  useEffect(() => {
    setPlace(beside(at));
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("[data-offer]")?.focus();
  }, [at]);
  const close = (): void => act({ do: "add", at: undefined });
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    if ((event.target as HTMLElement).tagName === "SELECT") return;
    const all = [...(dialog.current?.querySelectorAll<HTMLElement>("[data-offer]") ?? [])];
    const now = all.indexOf(document.activeElement as HTMLElement);
    all[(now + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length]?.focus();
    event.preventDefault();
  };
  return (
    <dialog className="je-picker" ref={dialog} style={place} aria-labelledby="je-picker-title" onClose={close} onKeyDown={onKeyDown} onClick={(event) => event.target === dialog.current && close()}>
      <Offers at={at} />
    </dialog>
  );
}

function Offers({ at }: { at: PortAt }): ReactNode {
  const { graph, words, act } = useEditor();
  const able = { channels: words.channels, services: words.services.length, journeys: words.journeys.length };
  const offered = offers(graph, at, able);
  const known = new Set(targets(graph, at));
  const there = order(graph).filter((key) => known.has(key));
  const step = graph.steps[at.step];
  const ports = step ? portsOf(step) : [];
  const next = targetOf(graph, at);
  const take = (offer: Offer): void => {
    const made = fresh(offer, graph, at, { service: words.services[0]?.id, journey: words.journeys[0]?.id, role: words.roles.find((each) => each.id === "care_coordinator")?.id ?? words.roles[0]?.id });
    const grown = add(graph, at, made);
    act({ do: "change", graph: grown.graph, select: [grown.key] });
  };
  return (
    <>
      <div className="between">
        <h2 id="je-picker-title">After {portSaid(graph, at)}</h2>
        <IconButton icon="cross" label="Close" onClick={() => act({ do: "add", at: undefined })} />
      </div>
      {ports.length > 1 && <SelectField label="At" value={at.port} choices={ports.map((port) => ({ id: port, label: portWords(step, port) }))} onChange={(port) => act({ do: "add", at: { step: at.step, port } })} />}
      <div className="je-offers">
        {GROUPS.map(({ name, kinds }) => {
          const some = offered.filter((offer) => kinds.includes(offer.kind));
          return some.length === 0 ? null : (
            <section key={name} aria-label={name}>
              <h3>{name}</h3>
              {some.map((offer) => (
                <OfferButton key={`${offer.kind}:${offer.channel ?? ""}`} offer={offer} onClick={() => take(offer)} />
              ))}
            </section>
          );
        })}
      </div>
      {there.length > 0 && (
        <section className="je-there" aria-label="A step that is there">
          <h3>{next ? "Lead to another step instead" : "Lead to a step that is there"}</h3>
          {there.map((key) => {
            const target = graph.steps[key];
            return target && (
              <button type="button" key={key} data-offer="" onClick={() => act({ do: "change", graph: connect(graph, at, key), select: [at.step] })}>
                <Icon name="next" />
                <span>{target.title || kindOf(target)}</span>
              </button>
            );
          })}
        </section>
      )}
    </>
  );
}

function OfferButton({ offer, onClick }: { offer: Offer; onClick: () => void }): ReactNode {
  const name = offer.kind === "send" ? CHANNELS[offer.channel ?? "email"] : offer.away ? "Another journey" : KINDS[offer.kind];
  const glyph = offer.channel === "portal" ? "lock" : offer.channel === "sms" ? "phone" : GLYPHS[offer.kind];
  const says = SAYS[offer.kind];
  return (
    <button type="button" data-offer={offer.channel ?? offer.kind} onClick={onClick}>
      <Icon name={glyph} />
      <span>{name}{says && <small>{says}</small>}</span>
    </button>
  );
}

/** Beside the "+" that was pressed, inside the window; in the middle when there is none to be seen. */
function beside({ step, port }: PortAt): { left: number; top: number; maxHeight: number } | undefined {
  const anchor = document.querySelector(`[data-add="${step}:${port}"]`) ?? document.querySelector(`[data-step="${step}"]`);
  const box = anchor?.getBoundingClientRect();
  if (!box || innerWidth < 832 || box.bottom < 0 || box.top > innerHeight) return undefined;
  const left = Math.min(box.right + 8, innerWidth - WIDE - 16);
  const top = Math.max(16, Math.min(box.top - 24, innerHeight - 520));
  return { left, top, maxHeight: innerHeight - top - 16 };
}
