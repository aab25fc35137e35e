"""A sealed piece opens whole, as what it was, or not at all."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salus.kernel.errors import Unavailable
from salus.keys import api as keys
from salus.keys.contracts import Damaged
from salus.recovery import pieces
from tests.conftest import World

NAME = "20261124T080000.000000Z/base"
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(path: Path, *parts: bytes, name: str = NAME) -> Path:
    path.unlink(missing_ok=True)
    with pieces.writing(path, name) as draft:
        for part in parts:
            draft.write(part)
    return path


def read(path: Path, name: str = NAME) -> bytes:
    return b"".join(pieces.reading(path, name))


@QUICK
@given(st.lists(st.binary(max_size=3_000), max_size=5), st.integers(0, 3 << 20))
def test_a_piece_gives_back_what_was_written(
    world: World, tmp_path: Path, parts: list[bytes], zeros: int
) -> None:
    path = write(tmp_path / "piece", *parts, bytes(zeros))
    assert read(path) == b"".join(parts) + bytes(zeros)


@QUICK
@given(st.data())
def test_no_byte_of_a_piece_can_be_changed(world: World, tmp_path: Path, data: st.DataObject) -> None:
    path = write(tmp_path / "piece", b"Ana Lark" * 10_000)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises((Damaged, Unavailable)):  # a changed name of the key reads as another key
        read(path)


@QUICK
@given(st.data())
def test_no_end_of_a_piece_can_be_taken_away(world: World, tmp_path: Path, data: st.DataObject) -> None:
    path = write(tmp_path / "piece", bytes(3 << 20), b"the end")
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(Damaged):
        read(path)


def test_nothing_can_be_added_to_a_piece(world: World, tmp_path: Path) -> None:
    path = write(tmp_path / "piece", b"all of it")
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(Damaged):
        read(path)


def test_a_piece_does_not_open_in_the_place_of_another(world: World, tmp_path: Path) -> None:
    path = write(tmp_path / "piece", b"a base", name="20261123T080000.000000Z/base")
    with pytest.raises(Damaged):
        read(path)


def test_a_piece_shows_nothing_of_what_is_in_it(world: World, tmp_path: Path) -> None:
    path = write(tmp_path / "piece", b"canary-6271" * 5_000)
    assert b"canary" not in path.read_bytes()


def test_under_another_key_it_says_which_key_is_needed(world: World, tmp_path: Path) -> None:
    path = write(tmp_path / "piece", b"all of it")
    mine = keys.file_provider(world.home.keys).name()
    keys.configure(keys.file_provider(tmp_path / "other"), tmp_path / "other")
    try:
        with pytest.raises(Unavailable, match=f"under the key {mine}.*recovery kit"):
            read(path)
    finally:
        keys.configure(keys.file_provider(world.home.keys), world.home.keys)


def test_a_full_disk_leaves_nothing_that_looks_whole(world: World, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, before[1]))  # the kernel refuses to write more
    try:
        with pytest.raises(Unavailable, match=r"is full.*was removed.*Make room"):
            write(tmp_path / "piece", os.urandom(5 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_what_was_interrupted_is_not_there(world: World, tmp_path: Path) -> None:
    def interrupted() -> None:
        with pieces.writing(tmp_path / "piece", NAME) as draft:
            draft.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
