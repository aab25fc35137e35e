/** Copy, paste, delete, undo: the same acts for keys, buttons and the list. */

import { branchOf, copy, paste, remove, tidy, type Fragment } from "../graph/edit.ts";
import { openPorts } from "../graph/legal.ts";
import { mainPort } from "../graph/ports.ts";
import { ENTER, type PortAt } from "../graph/types.ts";
import { targetOf } from "../graph/walk.ts";
import { useEditor } from "../state.ts";

export interface Acts {
  copy: () => void;
  paste: () => void;
  duplicate: () => void;
  remove: () => void;
  removeAll: (keys: string[]) => void;
  /** The steps that can be reached only by way of this one, and it. */
  branch: (key: string) => string[];
  tidy: () => void;
}

/** What was copied last; it lives as long as the page. */
let copied: Fragment | undefined;

export function useActs(): Acts {
  const { graph, state, act } = useEditor();
  const chosen = state.selected.filter((key) => key !== ENTER);
  const last = state.selected.at(-1) ?? ENTER;

  const removeAll = (keys: string[]): void => {
    if (!keys.length) return;
    const before = Object.entries(graph.steps).find(([, step]) => Object.values(step.ports).includes(keys[0] as string))?.[0];
    act({ do: "change", graph: remove(graph, keys), select: [before && !keys.includes(before) ? before : ENTER], said: keys.length === 1 ? `“${graph.steps[keys[0] as string]?.title ?? ""}” is deleted.` : `${keys.length} steps are deleted.` });
  };
  const put = (fragment: Fragment | undefined): void => {
    if (!fragment) return;
    const pasted = paste(graph, fragment, portFor(last));
    act({ do: "change", graph: pasted.graph, select: pasted.keys });
  };
  const portFor = (key: string): PortAt | undefined => {
    if (key === ENTER) return { step: ENTER, port: "start" };
    const step = graph.steps[key];
    const main = step && mainPort(step);
    const [open] = openPorts(graph, key);
    if (open) return open;
    return main !== undefined && targetOf(graph, { step: key, port: main }) ? { step: key, port: main } : undefined;
  };
  return {
    copy: () => {
      copied = copy(graph, chosen) ?? copied;
      act({ do: "say", text: chosen.length === 1 ? "Copied. Choose a step and paste after it." : `${chosen.length} steps are copied.` });
    },
    paste: () => put(copied),
    duplicate: () => put(copy(graph, chosen)),
    remove: () => removeAll(chosen),
    removeAll,
    branch: (key) => branchOf(graph, key),
    tidy: () => act({ do: "change", graph: tidy(graph) }),
  };
}
