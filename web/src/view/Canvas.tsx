/** The journey as a picture to draw in: React Flow shows it, the graph says what it is. */

import { Background, BackgroundVariant, Position, ReactFlow, type Connection, type NodeChange, type ReactFlowInstance } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { connect, move } from "../graph/edit.ts";
import { HEIGHT, PLUS, WIDTH, draw, nameOf, wayBack, type Drawing, type Line } from "../graph/layout.ts";
import { mayLead } from "../graph/legal.ts";
import { neighbour, portToAddAt, type Direction } from "../graph/steer.ts";
import { ENTER, type Graph, type Place, type PortAt } from "../graph/types.ts";
import { portWords } from "../graph/words.ts";
import type { Counts } from "../server.ts";
import { useEditor } from "../state.ts";
import { number } from "./names.ts";
import { IN, StepNode, type StepNodeType } from "./StepNode.tsx";
import { IconButton } from "../fields/basic.tsx";
import { PlusNode, WayEdge, type PlusNodeType, type WayType } from "./ways.tsx";

type AnyNode = StepNodeType | PlusNodeType;
type Flow = ReactFlowInstance<AnyNode, WayType>;

const NODES = { step: StepNode, plus: PlusNode };
const WAYS = { way: WayEdge };
const ARROWS: { [key: string]: Direction } = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };
/** So many steps are drawn whole; of more, only what is in view. */
const MANY = 80;
const HELP = "Journey. Arrow keys move between steps, Enter adds a step after one, E edits it, Delete removes it. The list view has the same acts.";

export function Canvas(): ReactNode {
  const { graph, state, act, edits } = useEditor();
  const { counts } = state;
  const [dragged, setDragged] = useState<{ [key: string]: Place }>();
  const [flow, setFlow] = useState<Flow>();
  const frame = useRef<HTMLDivElement>(null);
  const drawing = useDrawing(graph, counts, dragged);
  const nodes = useMemo(() => nodesOf(drawing, edits, state.selected), [drawing, edits, state.selected]);
  const edges = useMemo(() => edgesOf(graph, drawing, counts), [drawing, counts]); // the drawing says all of the graph that matters
  const chosen = state.selected.at(-1) ?? ENTER;

  useEffect(() => {
    const bounds = frame.current?.getBoundingClientRect();
    if (flow && bounds) void flow.setViewport(atTop(drawing, bounds.width));
    // only when it opens: afterwards the person says where to look
    // (the drawing of that moment is the one that is meant)
  }, [flow]);
  useKeepInView(flow, frame, drawing, chosen, dragged !== undefined);

  const onNodesChange = useCallback(
    (changes: NodeChange<AnyNode>[]) => {
      const moved: { [key: string]: Place } = {};
      const picked = new Set(state.selected);
      let picks = false;
      let stops = false;
      for (const change of changes) {
        if (change.type === "position" && change.position) moved[change.id] = [change.position.x, change.position.y];
        if (change.type === "position" && change.dragging === false) stops = true;
        if (change.type === "select") {
          picks = true;
          if (change.selected) picked.add(change.id);
          else picked.delete(change.id);
        }
      }
      if (picks && picked.size) act({ do: "select", keys: [...picked] });
      if (stops && dragged) {
        const { [ENTER]: _, ...places } = { ...drawing.places, ...dragged, ...moved };
        setDragged(undefined);
        act({ do: "change", graph: move(graph, rounded(places)) });
      } else if (Object.keys(moved).length) {
        setDragged((before) => ({ ...before, ...moved }));
      }
    },
    [act, dragged, drawing, graph, state.selected],
  );
  const link = (connection: Connection): void => {
    const at = { step: connection.source, port: connection.sourceHandle ?? "next" };
    act({ do: "change", graph: connect(graph, at, connection.target) });
  };
  /** A way that was let go: over a step it leads there if it may, over nothing it asks for a new one. */
  const drop = (at: PortAt, to: string | undefined): void => {
    if (to === undefined) act({ do: "add", at });
    else if (mayLead(graph, at, to)) act({ do: "change", graph: connect(graph, at, to) });
    else if (to !== at.step) act({ do: "say", text: "Nothing but a repeat leads back." });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const direction = ARROWS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.target as HTMLElement).dataset["step"]) return;
    if (direction) act({ do: "select", keys: kept(event.shiftKey, state.selected, neighbour(graph, drawing, chosen, direction)) });
    else if (event.key === "Enter" && edits) act({ do: "add", at: portToAddAt(graph, drawing, chosen) });
    else if (event.key === "e" || event.key === "E") focusPanel();
    else return;
    event.preventDefault();
  };

  return (
    <div className="je-canvas" ref={frame} onKeyDown={onKeyDown}>
      <ReactFlow
        aria-label={HELP}
        nodes={nodes}
        edges={edges}
        nodeTypes={NODES}
        edgeTypes={WAYS}
        onInit={setFlow}
        onNodesChange={onNodesChange}
        onConnect={link}
        onReconnect={(old, connection) => {
          if (old.source === connection.source && old.sourceHandle === connection.sourceHandle) link(connection);
        }}
        onConnectEnd={(event, how) => {
          if (!how.isValid && how.fromHandle?.type === "source" && how.fromNode) drop({ step: how.fromNode.id, port: how.fromHandle.id ?? "next" }, stepUnder(event));
        }}
        isValidConnection={(way) => mayLead(graph, { step: way.source, port: way.sourceHandle ?? "next" }, way.target)}
        nodesDraggable={edits}
        nodesConnectable={edits}
        edgesReconnectable={edits}
        nodesFocusable={false}
        edgesFocusable={false}
        deleteKeyCode={null}
        disableKeyboardA11y
        onlyRenderVisibleElements={nodes.length > MANY}
        panOnScroll
        zoomOnDoubleClick={false}
        minZoom={0.3}
        maxZoom={1.5}
        connectionRadius={36}
        nodeDragThreshold={4}
        multiSelectionKeyCode={["Shift", "Meta", "Control"]}
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1.5} />
      </ReactFlow>
      <div className="je-zoom" role="group" aria-label="View">
        <IconButton icon="plus" label="Larger" onClick={() => void flow?.zoomIn()} />
        <IconButton icon="minus" label="Smaller" onClick={() => void flow?.zoomOut()} />
        <IconButton icon="fit" label="Show all of it" onClick={() => void flow?.fitView({ padding: 0.06, maxZoom: 1 })} />
      </div>
    </div>
  );
}

/** The step under the pointer. */
function stepUnder(event: MouseEvent | TouchEvent): string | undefined {
  const point = "changedTouches" in event ? event.changedTouches[0] : event;
  const found = point && document.elementFromPoint(point.clientX, point.clientY)?.closest<HTMLElement>(".react-flow__node-step");
  return found?.dataset["id"];
}

/** Where the steps are; drawn anew only when what is drawn differs, not with every letter of a form. */
function useDrawing(graph: Graph, counts: Counts | undefined, dragged: { [key: string]: Place } | undefined): Drawing {
  const form = JSON.stringify([graph.start, graph.layout, Object.entries(graph.steps).map(([key, step]) => [key, step.kind, step.ports, "cases" in step && step.cases.map((each) => each.port), "weights" in step && Object.keys(step.weights), "journey_id" in step])]);
  const still = useMemo(
    () => draw(graph, (at) => wordsOf(graph, counts, at)),
    // the form says all of the graph that matters for it
    [form, counts],
  );
  const { [ENTER]: _, ...places } = { ...still.places, ...dragged };
  return dragged ? draw({ ...graph, layout: places }, () => "") : still;
}

/** The words at a way: what the port means, and how many took it. */
function wordsOf(graph: Graph, counts: Counts | undefined, at: PortAt): string {
  const step = graph.steps[at.step];
  const words = step ? portWords(step, at.port) : "";
  const people = peopleAt(counts, at);
  return [words, people === undefined ? "" : number(people)].filter(Boolean).join(" ");
}

function peopleAt(counts: Counts | undefined, at: PortAt): number | undefined {
  if (!counts) return undefined;
  return at.step === ENTER ? counts.entered : (counts.steps[at.step]?.left[at.port] ?? 0);
}

function nodesOf(drawing: Drawing, edits: boolean, selected: string[]): AnyNode[] {
  const steps = Object.entries(drawing.places).map(([key, [x, y]]): StepNodeType => {
    const leaves = drawing.lines.filter((line) => line.at.step === key);
    return {
      id: key,
      type: "step",
      position: { x, y },
      width: WIDTH,
      height: HEIGHT,
      measured: { width: WIDTH, height: HEIGHT },
      selected: selected.includes(key),
      draggable: edits && key !== ENTER,
      data: { step: key, leaves: leaves.map((line) => ({ port: line.at.port, share: line.leaves })) },
      handles: [
        { id: IN, type: "target", position: Position.Top, x: WIDTH / 2, y: 0, width: 1, height: 1 },
        ...leaves.map((line) => ({ id: line.at.port, type: "source" as const, position: line.at.port === "again" ? Position.Right : Position.Bottom, ...outOf(line), width: 1, height: 1 })),
      ],
    };
  });
  const pluses = drawing.opens.map(({ at, place: [x, y] }): PlusNodeType => ({
    id: nameOf(at),
    type: "plus",
    position: { x, y },
    width: PLUS,
    height: PLUS,
    measured: { width: PLUS, height: PLUS },
    draggable: false,
    selectable: false,
    connectable: false,
    data: { at },
    handles: [{ id: IN, type: "target", position: Position.Top, x: PLUS / 2, y: 0, width: 1, height: 1 }],
  }));
  return [...steps, ...pluses];
}

function outOf(line: Line): { x: number; y: number } {
  return line.at.port === "again" ? { x: WIDTH, y: HEIGHT / 2 } : { x: WIDTH * line.leaves, y: HEIGHT };
}

function edgesOf(graph: Graph, drawing: Drawing, counts: Counts | undefined): WayType[] {
  const opens = new Map(drawing.opens.map((open) => [nameOf(open.at), open.place]));
  const most = Math.max(1, counts?.entered ?? 1);
  return drawing.lines.flatMap((line): WayType[] => {
    const source = drawing.places[line.at.step];
    const target = line.to ? drawing.places[line.to] : opens.get(nameOf(line.at));
    if (!source || !target) return [];
    const out = outOf(line);
    const from: Place = [source[0] + out.x, source[1] + out.y];
    const to: Place = [target[0] + (line.to ? WIDTH * line.arrives : PLUS / 2), target[1]];
    const people = peopleAt(counts, line.at);
    return [
      {
        id: nameOf(line.at),
        type: "way",
        source: line.at.step,
        sourceHandle: line.at.port,
        target: line.to || nameOf(line.at),
        targetHandle: IN,
        reconnectable: line.to ? "target" : false,
        selectable: false,
        data: {
          at: line.at,
          points: line.back ? wayBack(drawing.places, line.at.step, line.to) : [from, ...line.bends, to],
          words: wordsOf(graph, counts, line.at),
          share: people === undefined || !line.to ? undefined : people / most,
          refused: line.at.port === "refused",
          back: line.back,
          open: line.to === "",
        },
      },
    ];
  });
}

function rounded(places: { [key: string]: Place }): { [key: string]: Place } {
  return Object.fromEntries(Object.entries(places).map(([key, [x, y]]) => [key, [Math.round(x), Math.round(y)]]));
}

function kept(more: boolean, selected: string[], key: string): string[] {
  return more ? [...selected.filter((each) => each !== key), key] : [key];
}

/** Put the cursor into the form of the step. */
export function focusPanel(): void {
  const first = document.querySelector<HTMLElement>(".je-panel :is(input, select, textarea)");
  first?.focus();
  if (first instanceof HTMLInputElement) first.select();
}

/** As large as it fits across, with the way in at the top. */
function atTop(drawing: Drawing, width: number): { x: number; y: number; zoom: number } {
  const xs = Object.values(drawing.places).map(([x]) => x);
  const [left, right] = [Math.min(...xs), Math.max(...xs) + WIDTH];
  const zoom = Math.min(1, Math.max(0.75, (width - 48) / (right - left)));
  const top = Math.min(...Object.values(drawing.places).map(([, y]) => y));
  const fits = (right - left) * zoom <= width;
  const middle = fits ? (left + right) / 2 : (drawing.places[ENTER]?.[0] ?? 0) + WIDTH / 2;
  return { x: width / 2 - middle * zoom, y: 20 - top * zoom, zoom };
}

/** What is chosen has the focus if another step had it, and is moved into view. */
function useKeepInView(flow: Flow | undefined, frame: { current: HTMLDivElement | null }, drawing: Drawing, chosen: string, dragging: boolean): void {
  const place = drawing.places[chosen];
  const opened = useRef(false);
  useEffect(() => {
    if (!flow || !place || dragging) return;
    if (!opened.current) {
      opened.current = true;
      return;
    }
    const had = document.activeElement;
    const focuses = had === document.body || (had instanceof HTMLElement && frame.current?.contains(had));
    const focus = (): void => {
      // a new step is in the page only after React Flow has taken it over
      if (focuses) requestAnimationFrame(() => frame.current?.querySelector<HTMLElement>(`[data-step="${chosen}"]`)?.focus({ preventScroll: true }));
    };
    const bounds = frame.current?.getBoundingClientRect();
    const { x, y, zoom } = flow.getViewport();
    const dx = bounds ? inward(place[0] * zoom + x, WIDTH * zoom, bounds.width, 24) : 0;
    const dy = bounds ? inward(place[1] * zoom + y, (HEIGHT + BELOW) * zoom, bounds.height, 24) : 0;
    if (dx === 0 && dy === 0) focus();
    else void flow.setViewport({ x: x + dx, y: y + dy, zoom }, { duration: calm() ? 0 : 160 }).then(focus);
  }, [chosen, drawing, flow, dragging]);
}

/** Room for what comes after a step, when it is moved into view. */
const BELOW = 120;

/** How far something must move to be inside, with a margin; its beginning counts when it is too long. */
function inward(start: number, length: number, room: number, margin: number): number {
  if (start < margin) return margin - start;
  return start + length > room - margin ? Math.max(room - margin - length, margin) - start : 0;
}

const calm = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;
