/** Ways between steps: a line as wide as the people in it, its words, and the "+" that puts a step on it. */

import { BaseEdge, EdgeLabelRenderer, type Edge, type EdgeProps, type Node, type NodeProps, Handle, Position } from "@xyflow/react";
import type { ReactNode } from "react";
import { path, pathBack } from "../graph/layout.ts";
import { samePort } from "../graph/ports.ts";
import type { Place, PortAt } from "../graph/types.ts";
import { portSaid } from "../graph/words.ts";
import { useEditor } from "../state.ts";
import { Icon } from "./Icon.tsx";
import { IN } from "./StepNode.tsx";

export interface WayData extends Record<string, unknown> {
  at: PortAt;
  /** From where it leaves to where it arrives. */
  points: Place[];
  words: string;
  /** How wide: the share of all people that took it, none when nothing was counted. */
  share: number | undefined;
  refused: boolean;
  /** The points are the corners of a way back. */
  back: boolean;
  open: boolean;
}
export type WayType = Edge<WayData, "way">;

const WIDEST = 22;

export function WayEdge({ id, data }: EdgeProps<WayType>): ReactNode {
  const { edits, state } = useEditor();
  if (!data) return null;
  const { points, back } = data;
  const [from, to] = [points[0], points.at(-1)];
  if (!from || !to) return null;
  const flows = data.share !== undefined;
  const line = back ? pathBack(points) : path(points);
  const label = back ? (points[2] ?? from) : onPath(points[0] as Place, points[1] as Place, points.length === 2 && !data.open ? 0.36 : 0.5);
  const width = Math.max(1.5, WIDEST * (data.share ?? 0));
  const upright = flows && !back && Math.abs(from[0] - (points[1] as Place)[0]) < 2;
  const plus = onPath(points.at(-2) as Place, to, points.length === 2 && data.words ? 0.74 : 0.5);
  const lit = state.adding !== undefined && samePort(state.adding, data.at);
  return (
    <>
      <BaseEdge id={id} path={line} interactionWidth={16} className={`${flows ? "flow" : "edge"}${data.refused ? " is-refuse" : ""}${data.open ? " is-open" : ""}${lit ? " is-lit" : ""}`} style={flows ? { strokeWidth: width } : {}} />
      {data.words && <text className="je-words" x={label[0] + (upright ? width / 2 + 7 : 0)} y={label[1] + 4} textAnchor={upright ? "start" : "middle"}>{data.words}</text>}
      {edits && !data.open && !back && (
        <EdgeLabelRenderer>
          <div className="je-on-way nodrag nopan" style={{ transform: `translate(-50%, -50%) translate(${plus[0]}px, ${plus[1]}px)` }}>
            <PlusButton at={data.at} small />
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

/** The point at a share of the piece of a path between two points. */
function onPath([x, y]: Place, [tx, ty]: Place, share: number): Place {
  const rest = 1 - share;
  const ends = rest ** 3 + 3 * rest ** 2 * share;
  const half = (y + ty) / 2;
  return [ends * x + (1 - ends) * tx, rest ** 3 * y + (1 - rest ** 3 - share ** 3) * half + share ** 3 * ty];
}

export type PlusNodeType = Node<{ at: PortAt }, "plus">;

export function PlusNode({ data }: NodeProps<PlusNodeType>): ReactNode {
  return (
    <>
      <Handle id={IN} type="target" position={Position.Top} isConnectable={false} />
      <PlusButton at={data.at} />
    </>
  );
}

function PlusButton({ at, small }: { at: PortAt; small?: boolean }): ReactNode {
  const { act, graph, edits } = useEditor();
  if (!edits) return null;
  return (
    <button type="button" className={`je-plus${small ? " is-small" : ""}`} tabIndex={-1} data-add={`${at.step}:${at.port}`} aria-label={`Add a step after ${portSaid(graph, at)}`} onClick={() => act({ do: "add", at })}>
      <Icon name="plus" />
    </button>
  );
}
