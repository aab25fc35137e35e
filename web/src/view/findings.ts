/** Where a finding is shown: at its step, at the way in, or with the rules of the whole journey. */

import { ENTER } from "../graph/types.ts";
import type { Finding } from "../server.ts";
import type { State } from "../state.ts";

const OF_RULES = new Set([
  "again_unclear", "quiet_unclear", "no_time", "time_short", "goal_unclear", "goal_unreachable", "bad_condition", "feeds_itself",
]);

/** The step that a finding is of, ENTER for the way in, "" for the whole journey. */
export function placeOf(finding: Finding): string {
  if (finding.step) return finding.step;
  return OF_RULES.has(finding.code) || finding.what.startsWith("It ends") ? "" : ENTER;
}

/** What was found at a step or at the way in, errors first. */
export function foundAt(state: State, key: string): Finding[] {
  return (state.proof?.findings ?? [])
    .filter((each) => placeOf(each) === key)
    .toSorted((a, b) => Number(a.severity !== "error") - Number(b.severity !== "error"));
}

export const isError = (finding: Finding): boolean => finding.severity === "error";
