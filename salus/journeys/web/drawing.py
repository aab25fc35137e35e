"""Where the picture of a journey puts its steps and how wide its ways are: as wide as the people in them.

Steps stand in rows, each below every step that leads to it; ways over several rows have a place of their
own in each of them. What leads back (a `repeat`) is told at its step instead of drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from salus.journeys.contracts import REFUSED, Counts, Graph, Step, StepCounts

WIDTH, HEIGHT = 224, 60
"""Of a step, in pixels."""
ACROSS, DOWN, EDGE = 24, 58, 8
"""Between two steps of a row, between two rows, around everything."""
WIDEST, THINNEST = 168.0, 1.5
"""A way that everybody takes, and one that nobody took yet."""
SWEEPS = 6
LINE, LETTER = 14, 7.4
"""Of the numbers beside the ways: the height of a line and the width of a letter."""


@dataclass(frozen=True, slots=True)
class Node:
    """A step at its place; `facts` are its counts."""

    step: Step
    x: int
    y: int
    counts: StepCounts


@dataclass(frozen=True, slots=True)
class Ribbon:
    """The people who took one way: `path` is the outline of an SVG path, its middle is at (x, y)."""

    path: str
    refused: bool
    people: int
    step: str
    port: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Label:
    """A few words at (x, y), which is the middle of their line."""

    words: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn journey."""

    width: int
    height: int
    nodes: tuple[Node, ...]
    ribbons: tuple[Ribbon, ...]


@dataclass(frozen=True, slots=True)
class _Way:
    source: str
    port: str
    target: str


@dataclass(slots=True)
class _Place:
    """A step, or a point that a long way passes, in its row; `x` is its middle."""

    key: str
    row: int
    width: float
    x: float = 0.0


def order(graph: Graph) -> tuple[str, ...]:
    """Return the steps as a list reads best: every step after those that lead to it, the start first."""
    rows, _ = _rows(graph)
    return tuple(sorted(rows, key=rows.__getitem__))


def draw(graph: Graph, counts: Counts) -> Picture:
    """Return the picture of a journey with these counts; steps that nothing leads to stand in the last row."""
    rows, ways = _rows(graph)
    widest = max([counts.entered, *(each.arrived for each in counts.steps.values()), 1])
    scale = WIDEST / widest
    places, chains = _places(rows, ways, counts, scale)
    _arrange(places, chains, counts)
    width = round(max((each.x + each.width / 2 for each in places.values()), default=WIDTH) + EDGE)
    height = EDGE * 2 + (max(rows.values(), default=0) + 1) * (HEIGHT + DOWN) - DOWN
    nodes = tuple(
        Node(graph.steps[key], round(places[key].x - WIDTH / 2), _top(rows[key]), _of(counts, key))
        for key in rows
    )
    return Picture(width, height, nodes, _ribbons(graph, counts, places, chains, scale))


def labelled(ribbons: Iterable[tuple[Ribbon, str]]) -> tuple[Label, ...]:
    """Return the words beside the ways, in a second line where they would run into each other."""
    found: list[Label] = []
    taken: defaultdict[int, float] = defaultdict(lambda: float("-inf"))
    for ribbon, words in sorted(ribbons, key=lambda each: (each[0].y, each[0].x)):
        half = len(words) * LETTER / 2
        y = next(
            (y for y in (ribbon.y, ribbon.y + LINE, ribbon.y - LINE) if taken[y] < ribbon.x - half), ribbon.y
        )
        taken[y] = ribbon.x + half
        found.append(Label(words, ribbon.x, y))
    return tuple(found)


def _of(counts: Counts, key: str) -> StepCounts:
    return counts.steps.get(key) or StepCounts(key, 0, 0, {}, {})


def _ways(graph: Graph) -> list[_Way]:
    return [
        _Way(key, port, target)
        for key, step in graph.steps.items()
        for port, target in step.ports.items()
        if target in graph.steps
    ]


def _walk(graph: Graph) -> tuple[tuple[str, ...], frozenset[_Way]]:
    """Return the steps, each after those that lead to it, and the ways that lead back instead."""
    backs: set[_Way] = set()
    finished: dict[str, None] = {}
    above: dict[str, Iterator[tuple[str, str]]] = {}
    for first in (graph.start, *graph.steps):
        if first in graph.steps and first not in finished:
            above[first] = _ports(graph, first)
        while above:
            key = next(reversed(above))
            port, target = next(above[key], ("", ""))
            if not port:
                del above[key]
                finished[key] = None
            elif target in above:
                backs.add(_Way(key, port, target))
            elif target in graph.steps and target not in finished:
                above[target] = _ports(graph, target)
    return tuple(reversed(finished)), frozenset(backs)


def _ports(graph: Graph, key: str) -> Iterator[tuple[str, str]]:
    """Yield a step's ports, the last one first: what is finished first is listed last."""
    return reversed(graph.steps[key].ports.items())  # type: ignore[call-overload, no-any-return]


def _rows(graph: Graph) -> tuple[dict[str, int], list[_Way]]:
    """Return the row of each step, one below the lowest step that leads to it, and the ways that lead down."""
    ordered, backs = _walk(graph)
    ways = [way for way in _ways(graph) if way not in backs]
    rows = dict.fromkeys(ordered, 0)
    leads: defaultdict[str, list[str]] = defaultdict(list)
    for way in ways:
        leads[way.source].append(way.target)
    for key in ordered:
        for target in leads[key]:
            rows[target] = max(rows[target], rows[key] + 1)
    return rows, ways


def _places(
    rows: Mapping[str, int], ways: Iterable[_Way], counts: Counts, scale: float
) -> tuple[dict[str, _Place], dict[_Way, list[str]]]:
    """Return every place, and for each way the places that it passes from source to target."""
    places = {key: _Place(key, row, WIDTH) for key, row in rows.items()}
    chains: dict[_Way, list[str]] = {}
    for way in ways:
        passed = []
        for row in range(rows[way.source] + 1, rows[way.target]):
            key = f"{way.source}\x00{way.port}\x00{row}"
            people = _of(counts, way.source).left.get(way.port, 0)
            places[key] = _Place(key, row, max(people * scale, THINNEST) + ACROSS)
            passed.append(key)
        chains[way] = [way.source, *passed, way.target]
    return places, chains


def _arrange(places: Mapping[str, _Place], chains: Mapping[_Way, list[str]], counts: Counts) -> None:
    """Give every place its middle: in line with what leads to it and follows it, most where most people go."""
    near: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    least_weight = max(1.0, counts.entered / 20)
    for way, chain in chains.items():
        weight = max(least_weight, _of(counts, way.source).left.get(way.port, 0))
        for upper, lower in pairwise(chain):
            near[lower].append((upper, weight))
            near[upper].append((lower, weight))
    rows: defaultdict[int, list[_Place]] = defaultdict(list)
    for place in places.values():
        rows[place.row].append(place)
    for row in rows.values():
        _spread(row, [0.0] * len(row))
    for sweep in range(SWEEPS):
        for number in sorted(rows, reverse=bool(sweep % 2)):
            row = rows[number]
            wanted = {each.key: _middle(each, near[each.key], places) for each in row}
            row.sort(key=lambda each: wanted[each.key])
            _spread(row, [wanted[each.key] for each in row])
    least = min((each.x - each.width / 2 for each in places.values()), default=0.0)
    for each in places.values():
        each.x += EDGE - least


def _middle(place: _Place, near: list[tuple[str, float]], places: Mapping[str, _Place]) -> float:
    whole = sum(weight for _, weight in near)
    return sum(places[key].x * weight for key, weight in near) / whole if whole else place.x


def _spread(row: list[_Place], wanted: list[float]) -> None:
    """Put the places of a row next to each other, each as near to where it is wanted as the others let it."""
    right = float("-inf")
    for place, middle in zip(row, wanted, strict=True):
        place.x = max(middle, right + ACROSS + place.width / 2)
        right = place.x + place.width / 2
    shift = sum(wanted[at] - place.x for at, place in enumerate(row)) / len(row)
    for place in row:
        place.x += shift


def _ribbons(
    graph: Graph,
    counts: Counts,
    places: Mapping[str, _Place],
    chains: Mapping[_Way, list[str]],
    scale: float,
) -> tuple[Ribbon, ...]:
    """Return the ways, those that leave or reach a step side by side in the order of their other ends."""
    pieces = [piece for way in chains for piece in _pieces(graph, counts, way)]
    wide = {each: max(each[1] * scale, THINNEST) for each in pieces}
    leaving: defaultdict[str, list[tuple[_Way, int, bool]]] = defaultdict(list)
    coming: defaultdict[str, list[tuple[_Way, int, bool]]] = defaultdict(list)
    for each in pieces:
        leaving[each[0].source].append(each)
        coming[each[0].target].append(each)
    starts, ends = {}, {}
    for key, those in leaving.items():
        those.sort(key=lambda each: (places[chains[each[0]][1]].x, each[2]))
        starts.update(_side_by_side(places[key].x, those, wide))
    for key, those in coming.items():
        those.sort(key=lambda each: (places[chains[each[0]][-2]].x, each[2]))
        ends.update(_side_by_side(places[key].x, those, wide))
    return tuple(
        _ribbon(each, chains[each[0]], places, starts[each], ends[each], wide[each]) for each in pieces
    )


def _pieces(graph: Graph, counts: Counts, way: _Way) -> list[tuple[_Way, int, bool]]:
    """Return (way, people, refused): whom the gate stopped is drawn apart, also where they go on with the rest."""
    found = _of(counts, way.source)
    people = found.left.get(way.port, 0)
    if way.port == REFUSED:
        return [(way, people, True)]
    if way.port == "next" and REFUSED not in graph.steps[way.source].ports:
        refused = min(people, sum(n for (outcome, _), n in found.outcomes.items() if outcome == REFUSED))
        if refused:
            return [(way, people - refused, False), (way, refused, True)]
    return [(way, people, False)]


def _side_by_side(
    middle: float, those: list[tuple[_Way, int, bool]], wide: Mapping[tuple[_Way, int, bool], float]
) -> dict[tuple[_Way, int, bool], float]:
    """Return the middle of each of `those`, which stand beside each other around `middle`."""
    gap = 3.0
    at = middle - (sum(wide[each] for each in those) + gap * (len(those) - 1)) / 2
    found = {}
    for each in those:
        found[each] = at + wide[each] / 2
        at += wide[each] + gap
    return found


def _ribbon(
    piece: tuple[_Way, int, bool],
    chain: list[str],
    places: Mapping[str, _Place],
    start: float,
    end: float,
    wide: float,
) -> Ribbon:
    way, people, refused = piece
    points = [(start, float(_top(places[chain[0]].row) + HEIGHT))]
    for key in chain[1:-1]:
        points += [
            (places[key].x, float(_top(places[key].row))),
            (places[key].x, _top(places[key].row) + HEIGHT),
        ]
    points.append((end, float(_top(places[chain[-1]].row))))
    at = (points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2
    return Ribbon(
        _outline(points, wide), refused, people, way.source, way.port, round(at[0]), round(at[1]) + 4
    )


def _outline(points: list[tuple[float, float]], wide: float) -> str:
    """Return the outline of a band of a width along `points`, upright at each of them."""
    half = wide / 2
    down = [f"M{points[0][0] - half:.1f} {points[0][1]:.0f}"]
    down += [_bend(a, b, -half) for a, b in pairwise(points)]
    back = list(reversed(points))
    up = [f"L{back[0][0] + half:.1f} {back[0][1]:.0f}"]
    up += [_bend(a, b, half) for a, b in pairwise(back)]
    return "".join([*down, *up, "Z"])


def _bend(a: tuple[float, float], b: tuple[float, float], aside: float) -> str:
    half = (a[1] + b[1]) / 2
    return f"C{a[0] + aside:.1f} {half:.0f} {b[0] + aside:.1f} {half:.0f} {b[0] + aside:.1f} {b[1]:.0f}"


def _top(row: int) -> int:
    return EDGE + row * (HEIGHT + DOWN)
