/** Undo and redo: what was, what is, what was taken back. */

export interface History<T> {
  past: T[];
  present: T;
  future: T[];
  /** What the last change was of ("title:send"): the next one of the same belongs to it. */
  last: string;
}

const LONGEST = 200;

export const begin = <T>(present: T): History<T> => ({ past: [], present, future: [], last: "" });

/** Make `present` what is. Changes of the same, one after the other, are taken back at once ("" is never the same). */
export function commit<T>(history: History<T>, present: T, of = ""): History<T> {
  if (present === history.present) return history;
  if (of && of === history.last) return { ...history, present, future: [] };
  return { past: [...history.past, history.present].slice(-LONGEST), present, future: [], last: of };
}

export function undo<T>(history: History<T>): History<T> {
  const before = history.past.at(-1);
  if (before === undefined) return history;
  return { past: history.past.slice(0, -1), present: before, future: [history.present, ...history.future], last: "" };
}

export function redo<T>(history: History<T>): History<T> {
  const [after, ...future] = history.future;
  if (after === undefined) return history;
  return { past: [...history.past, history.present], present: after, future, last: "" };
}
