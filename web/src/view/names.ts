/** Names for what a journey holds as ids, from the vocabulary. */

import type { Names } from "../graph/words.ts";
import { plain } from "../graph/words.ts";
import type { Vocabulary } from "../server.ts";

export function namesIn(words: Vocabulary): Names {
  const of = (list: { id: string; label: string }[], id: string, otherwise: string): string => list.find((each) => each.id === id)?.label ?? otherwise;
  return {
    segment: (id) => of(words.segments, id, "a segment"),
    journey: (id) => of(words.journeys, id, "another journey"),
    event: (kind) => words.events.find((each) => each.kind === kind)?.label ?? plain(kind),
    role: (role) => of(words.roles, role, plain(role)),
  };
}

/** A number as people read it: 1,406. */
export const number = (value: number): string => value.toLocaleString("en-US");
