"""Merkle trees of RFC 6962 section 2.1: roots, inclusion and consistency proofs, and their verification.

A proof is first a list of ranges of leaves; where the hash of a range comes from (leaves in memory,
tiles in the database) is another matter, so the mathematics stands here once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH = 32
NODE = b"\x01"
"""Stands before two children when they are hashed."""
EMPTY_ROOT = sha256().digest()

Span = tuple[int, int]
"""Leaves `start` up to, but not including, `end`."""
NodeSource = Callable[[int, int], bytes]
"""Gives the hash of the perfect subtree over leaves [index * 2**level, (index + 1) * 2**level)."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(NODE + left + right).digest()


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_spans(index: int, size: int) -> list[Span]:
    """Return the ranges whose hashes are the audit path of leaf `index` in a tree of `size` leaves."""
    if not 0 <= index < size:
        raise ValueError("there is no such leaf in a tree of this size")
    start, end, spans = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def consistency_spans(old: int, new: int) -> list[Span]:
    """Return the ranges whose hashes prove that the tree of `old` leaves begins the tree of `new` leaves."""
    if not 0 <= old <= new:
        raise ValueError("the older tree cannot be the larger one")
    if old == 0:
        return []  # every tree begins with the empty one
    start, end, whole, spans = 0, new, True, []
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start, whole = middle, False
    if not whole:
        spans.append((start, end))
    return spans[::-1]


def span_hash(span: Span, node: NodeSource) -> bytes:
    """Return the hash of a range that occurs in a proof, or of a whole tree (0, size)."""
    start, end = span
    if start == end:
        return EMPTY_ROOT
    found: bytes | None = None
    # The perfect subtrees of the range, the smallest and rightmost first.
    while end > start:
        level = ((end - start) & -(end - start)).bit_length() - 1
        end -= 1 << level
        part = node(level, end >> level)
        found = part if found is None else node_hash(part, found)
    assert found is not None
    return found


class Tree:
    """A tree over leaf hashes in memory."""

    def __init__(self, hashes: Sequence[bytes]) -> None:
        if any(len(leaf) != HASH for leaf in hashes):
            raise ValueError("a tree is built over 32-byte leaf hashes")
        self.size = len(hashes)
        self._levels = [list(hashes)]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            self._levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])

    def _node(self, level: int, index: int) -> bytes:
        return self._levels[level][index]

    def root(self, size: int | None = None) -> bytes:
        """Return the root, of the first `size` leaves if it is given."""
        return span_hash((0, self.size if size is None else size), self._node)

    def path(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the audit path of leaf `index`."""
        spans = inclusion_spans(index, self.size if size is None else size)
        return tuple(span_hash(span, self._node) for span in spans)

    def consistency(self, old: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the proof that the first `old` leaves are as they were."""
        spans = consistency_spans(old, self.size if size is None else size)
        return tuple(span_hash(span, self._node) for span in spans)


def verify_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Return whether `path` proves that `leaf_hash` is leaf `index` of the tree of `size` with `root`.

    The algorithm of RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf_hash
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        place >>= 1
        last >>= 1
    return last == 0 and found == root


def verify_consistency(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Return whether `path` proves that the tree of `old` leaves with `old_root` begins that of `new`.

    The algorithm of RFC 9162 section 2.1.4.2, with the two trivial cases stated first.
    """
    if not 0 <= old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    proof = list(path)
    if old & (old - 1) == 0:
        proof.insert(0, old_root)
    if not proof:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place >>= 1
        last >>= 1
    then = now = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            then, now = node_hash(sibling, then), node_hash(sibling, now)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            now = node_hash(now, sibling)
        place >>= 1
        last >>= 1
    return last == 0 and then == old_root and now == new_root
