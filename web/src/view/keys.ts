/** The keys that work everywhere on the page, and those that work on a chosen step. */

import { useEffect } from "react";
import { useEditor } from "../state.ts";
import { useActs } from "./acts.ts";

export function useKeys(save: () => void): void {
  const { act, edits } = useEditor();
  const acts = useActs();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      const typing = target.matches("input, textarea, select, dialog *");
      const onStep = target.closest(".je-canvas, .je-list") !== null && !typing;
      const done = event.ctrlKey || event.metaKey ? withControl(event, typing, onStep) : plain(event, onStep);
      if (done) {
        event.preventDefault();
        done();
      }
    };
    const withControl = (event: KeyboardEvent, typing: boolean, onStep: boolean): (() => void) | undefined => {
      const key = event.key.toLowerCase();
      if (!edits) return undefined;
      if (key === "s") return save;
      if (!typing && key === "z") return () => act({ do: event.shiftKey ? "redo" : "undo" });
      if (!typing && key === "y") return () => act({ do: "redo" });
      if (!onStep || getSelection()?.isCollapsed === false) return undefined;
      if (key === "c") return acts.copy;
      if (key === "v") return acts.paste;
      return key === "x" ? cut : undefined;
    };
    const plain = (event: KeyboardEvent, onStep: boolean): (() => void) | undefined =>
      edits && onStep && (event.key === "Delete" || event.key === "Backspace") ? acts.remove : undefined;
    const cut = (): void => {
      acts.copy();
      acts.remove();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  });
}
