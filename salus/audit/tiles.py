"""Tiles of C2SP tlog-tiles: 256 hashes a tile, levels of height 8, and the right edge of a growing log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256

from salus.audit.merkle import EMPTY_ROOT, HASH, NODE, node_hash

WIDTH = 256
HEIGHT = 8
"""A tile's hash, as an entry of the level above, covers 2**8 times as many leaves."""
FULL = WIDTH * HASH

Tile = tuple[int, int, bytes]
"""Level, number within the level, hashes."""
TileSource = Callable[[int, int], bytes]
"""Gives the hashes of the tile (level, number), full or partial."""


def width_at(size: int, level: int) -> int:
    """Return how many hashes the partial tile at `level` holds in a log of `size`."""
    return (size >> (HEIGHT * level)) % WIDTH


def perfect_root(hashes: bytes) -> bytes:
    """Return the root over 1, 2, 4... up to 256 hashes laid end to end."""
    while len(hashes) > HASH:
        hashes = b"".join(
            [sha256(NODE + hashes[at : at + 2 * HASH]).digest() for at in range(0, len(hashes), 2 * HASH)]
        )
    return hashes


def path(level: int | str, number: int, width: int = WIDTH) -> str:
    """Return where a tile lives ("tile/0/x001/067.p/3"); `level` is "entries" for an entry bundle."""
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{name}" + ("" if width == WIDTH else f".p/{width}")


def node_from(tiles: TileSource, level: int, index: int) -> bytes:
    """Return the hash of a perfect subtree (see `merkle.NodeSource`) out of the tile that holds it."""
    tile_level, height = divmod(level, HEIGHT)
    number, offset = divmod(index << height, WIDTH)
    hashes = tiles(tile_level, number)[offset * HASH : (offset + (1 << height)) * HASH]
    if len(hashes) != HASH << height:
        raise ValueError("a tile is too short")
    return perfect_root(hashes)


class Edge:
    """The right edge of a log: for each level its partial tile. Appending gives off the full ones."""

    def __init__(self, size: int = 0, hashes: bytes = b"") -> None:
        """Take up a log of `size` whose partial tiles, lowest level first, are `hashes` end to end."""
        self.size = size
        self._partial: list[bytearray] = []
        self._peaks: list[list[bytes] | None] = []
        self._full: list[Tile] = []
        at = 0
        while size >> (HEIGHT * len(self._partial)):
            end = at + width_at(size, len(self._partial)) * HASH
            self._partial.append(bytearray(hashes[at:end]))
            self._peaks.append(None)
            at = end
        if at != len(hashes) or size < 0:
            raise ValueError("the edge does not belong to a log of this size")

    def append(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes at the right."""
        added = b"".join(leaves)
        if not added:
            return
        before = self.size >> HEIGHT
        self.size += len(added) // HASH
        self._grow(0, added, before)

    def _grow(self, level: int, hashes: bytes, number: int) -> None:
        """Add `hashes` to the partial tile `number` of `level`; full tiles climb one level up."""
        if level == len(self._partial):
            self._partial.append(bytearray())
            self._peaks.append(None)
        partial = self._partial[level]
        partial += hashes
        self._peaks[level] = None
        whole = len(partial) // FULL
        if not whole:
            return
        roots = []
        for place in range(whole):
            tile = bytes(partial[place * FULL : (place + 1) * FULL])
            self._full.append((level, number + place, tile))
            roots.append(perfect_root(tile))
        del partial[: whole * FULL]
        self._grow(level + 1, b"".join(roots), number >> HEIGHT)

    def take_full(self) -> list[Tile]:
        """Return the tiles that became full since the last call."""
        full, self._full = self._full, []
        return full

    def partial(self, level: int) -> bytes:
        """Return the hashes of the partial tile at `level`, empty when there is none."""
        return bytes(self._partial[level]) if level < len(self._partial) else b""

    def hashes(self) -> bytes:
        """Return all partial tiles end to end, lowest level first: what the constructor takes."""
        return b"".join(self._partial)

    def root(self) -> bytes:
        """Return the root of the whole log."""
        found: bytes | None = None
        for level in range(len(self._partial)):
            for peak in reversed(self._peaks_at(level)):
                found = peak if found is None else node_hash(peak, found)
        return EMPTY_ROOT if found is None else found

    def _peaks_at(self, level: int) -> list[bytes]:
        """Return the roots of the perfect subtrees of a partial tile, left to right."""
        peaks = self._peaks[level]
        if peaks is None:
            peaks, hashes, at = [], bytes(self._partial[level]), 0
            for height in reversed(range(HEIGHT)):
                if len(hashes) // HASH >> height & 1:
                    end = at + (HASH << height)
                    peaks.append(perfect_root(hashes[at:end]))
                    at = end
            self._peaks[level] = peaks
        return peaks
