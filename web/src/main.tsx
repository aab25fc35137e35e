/**
 * The journey canvas, an island in a page of the console.
 * HTML contract: an element with the id "journey-editor", whose data-base is the address of its endpoints (ending
 * in "/"); what stands in it is shown until the canvas is there, and when it cannot be.
 */

import "@xyflow/react/dist/base.css";
import "./canvas.css";
import { createRoot } from "react-dom/client";
import { Editor } from "./view/Editor.tsx";
import { serverAt } from "./server.ts";

const root = document.getElementById("journey-editor");
if (root) void start(root);

async function start(root: HTMLElement): Promise<void> {
  const server = serverAt(root.dataset["base"] ?? "");
  try {
    const [loaded, words] = await Promise.all([server.load(), server.vocabulary()]);
    createRoot(root).render(<Editor loaded={loaded} words={words} server={server} />);
  } catch (error) {
    root.textContent = error instanceof Error ? error.message : "This could not be loaded. Nothing is lost: load the page again.";
  }
}
