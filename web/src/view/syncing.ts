/** Keeps the server and the page together: checks while somebody draws, saves, hands in. */

import { useEffect, useRef, useState } from "react";
import { Refused } from "../server.ts";
import { useEditor } from "../state.ts";

const CHECK_AFTER = 400;
const SAVE_AFTER = 20_000;

/** Ask for the checks soon after every change; an older question is given up. */
export function useChecking(): void {
  const { graph, server, act, edits } = useEditor();
  useEffect(() => {
    if (!edits) return undefined;
    const question = new AbortController();
    act({ do: "check" });
    const timer = setTimeout(() => {
      server.check(graph, question.signal).then(
        (proof) => act({ do: "checked", proof }),
        () => question.signal.aborted || act({ do: "checked", proof: undefined }),
      );
    }, CHECK_AFTER);
    return () => {
      clearTimeout(timer);
      question.abort();
    };
  }, [graph]);
}

export interface Saving {
  save: () => void;
  /** Save over what somebody else saved meanwhile. */
  overwrite: () => void;
  handIn: () => void;
  handing: boolean;
  why: string;
}

export function useSaving(): Saving {
  const { graph, state, server, act, edits } = useEditor();
  const [why, setWhy] = useState("");
  const [handing, setHanding] = useState(false);
  const dirty = edits && state.saved !== graph;
  const busy = useRef(false);

  const put = async (seen: string): Promise<string | undefined> => {
    if (busy.current) return undefined;
    busy.current = true;
    act({ do: "saving" });
    try {
      const saved = await server.save(graph, seen);
      act({ do: "saved", graph, seen: saved.seen });
      return saved.seen;
    } catch (error) {
      setWhy(error instanceof Error ? error.message : "");
      act({ do: "unsaved", why: error instanceof Refused && error.status === 409 ? "conflict" : "failed" });
      return undefined;
    } finally {
      busy.current = false;
    }
  };
  const handIn = async (): Promise<void> => {
    setHanding(true);
    try {
      if (!dirty || (await put(state.seen)) !== undefined) location.assign((await server.handIn()).url);
    } catch (error) {
      setWhy(error instanceof Error ? error.message : "");
      act({ do: "unsaved", why: "failed" });
    }
    setHanding(false);
  };
  const overwrite = async (): Promise<void> => {
    await put((await server.load()).seen);
  };

  useEffect(() => {
    if (!dirty || state.saving === "conflict") return undefined;
    const timer = setTimeout(() => void put(state.seen), SAVE_AFTER);
    return () => clearTimeout(timer);
  }, [graph, dirty, state.saving]);
  useEffect(() => {
    if (!dirty) return undefined;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [dirty]);

  return {
    save: () => {
      if (dirty) void put(state.seen);
    },
    overwrite: () => void overwrite(),
    handIn: () => void handIn(),
    handing,
    why,
  };
}
