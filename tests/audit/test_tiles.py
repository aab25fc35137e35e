"""Tiles as C2SP tlog-tiles lays them out, and the growing edge."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.audit import tiles
from salus.audit.merkle import Tree, consistency_spans, inclusion_spans, span_hash
from salus.audit.rules import leaf_hash

LEAVES = [leaf_hash(str(number).encode()) for number in range(70_000)]


def grown(size: int, step: int) -> tuple[tiles.Edge, dict[tuple[int, int], bytes]]:
    """Append in pieces of `step`, through storage each time."""
    edge, full = tiles.Edge(), {}
    for start in range(0, size, step):
        edge = tiles.Edge(edge.size, edge.hashes())
        edge.append(LEAVES[start : min(start + step, size)])
        full.update({(level, number): hashes for level, number, hashes in edge.take_full()})
    return edge, full


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, "000"), (7, "007"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067")],
)
def test_tile_numbers_are_written_in_groups_of_three(number: int, name: str) -> None:
    assert tiles.path(0, number) == f"tile/0/{name}"
    assert tiles.path("entries", number, 3) == f"tile/entries/{name}.p/3"


def test_a_log_of_seventy_thousand_has_the_tiles_that_the_specification_counts() -> None:
    edge, full = grown(70_000, 9_999)
    assert sum(level == 0 for level, _ in full) == 273
    assert sum(level == 1 for level, _ in full) == 1
    assert [len(edge.partial(level)) // 32 for level in range(4)] == [112, 17, 1, 0]
    assert [tiles.width_at(70_000, level) for level in range(3)] == [112, 17, 1]
    assert edge.root() == Tree(LEAVES).root()


def test_a_log_of_256_has_one_full_tile_and_a_partial_one_of_width_one_above() -> None:
    edge, full = grown(256, 100)
    assert list(full) == [(0, 0)]
    assert [len(edge.partial(level)) // 32 for level in range(2)] == [0, 1]


@given(st.integers(0, 1500), st.integers(1, 700))
@settings(max_examples=60, deadline=None)
def test_however_it_grows_the_root_and_the_tiles_are_the_same(size: int, step: int) -> None:
    edge, full = grown(size, step)
    assert edge.root() == Tree(LEAVES[:size]).root()
    assert full == {
        (0, number): b"".join(LEAVES[number * 256 : (number + 1) * 256]) for number in range(size // 256)
    }


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_proofs_out_of_tiles_are_those_out_of_the_leaves(data: st.DataObject) -> None:
    now = data.draw(st.integers(1, 1500))
    size = data.draw(st.integers(1, now))
    edge, full = grown(now, 400)

    def node(level: int, index: int) -> bytes:
        return tiles.node_from(lambda at, number: full.get((at, number)) or edge.partial(at), level, index)

    tree = Tree(LEAVES[:size])
    index = data.draw(st.integers(0, size - 1))
    assert tuple(span_hash(span, node) for span in inclusion_spans(index, size)) == tree.path(index)
    old = data.draw(st.integers(0, size))
    assert tuple(span_hash(span, node) for span in consistency_spans(old, size)) == tree.consistency(old)


def test_an_edge_of_another_size_is_refused() -> None:
    edge, _ = grown(300, 300)
    for size in (299, 301, 0, 512):
        with pytest.raises(ValueError):
            tiles.Edge(size, edge.hashes())
