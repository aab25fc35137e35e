"""A virus scanner that is set sees each file whole, and nothing is taken that it did not pass; also by clamd itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from salus.files import api as files
from salus.files import scanning
from salus.files.contracts import FileRefused, Why
from salus.files.contracts import Scanner as Found
from salus.files.models import FileRow, PieceRow
from salus.files.scanning import Scan
from salus.kernel.acting import Actor

from .samples import PDF, PNG, TEXT
from .scanner import MARKER, Scanner, clamd
from .test_keeping import LARGE, take

OK = b"stream: OK\0"


@contextmanager
def scanner(settings: Any, folder: Path, answer: bytes = OK, **given: Any) -> Iterator[Scanner]:
    made = Scanner(folder, answer, **given)
    settings.SALUS_CLAMD = str(made.path)
    try:
        yield made
    finally:
        made.close()


def refused(actor: Actor, data: bytes) -> Why:
    """Return why a file is not taken; nothing of it is kept."""
    with pytest.raises(FileRefused) as found:
        take(actor, data)
    assert not FileRow.objects.exists()
    assert not PieceRow.objects.exists()
    return found.value.why


@pytest.mark.parametrize("data", [PNG, PDF, TEXT, LARGE])
def test_the_scanner_sees_the_whole_file_and_what_it_passes_is_taken(
    actor: Actor,
    settings: Any,
    tmp_path: Path,
    data: bytes,
) -> None:
    with scanner(settings, tmp_path) as peer:
        assert take(actor, data).size == len(data)
    assert peer.seen == [data]


def test_what_it_finds_is_not_taken_and_nothing_of_it_is_kept(
    actor: Actor,
    settings: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with scanner(settings, tmp_path, b"stream: Win.Test.EICAR_HDB-1 FOUND\0"):
        assert refused(actor, LARGE) is Why.INFECTED
    assert "scan.png" not in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"stream: OK",
        b"\0",
        b"stream: OK FOUND ERROR\0",
        b"UNKNOWN COMMAND\0",
        b"INSTREAM: x ERROR\0",
        b"x" * 5000,
    ],
)
def test_another_answer_or_none_lets_nothing_through(
    actor: Actor,
    settings: Any,
    tmp_path: Path,
    answer: bytes,
) -> None:
    with scanner(settings, tmp_path, answer):
        assert refused(actor, PNG) is Why.NOT_SCANNED


def test_a_scanner_that_is_away_or_takes_less_lets_nothing_through(
    actor: Actor,
    settings: Any,
    tmp_path: Path,
) -> None:
    settings.SALUS_CLAMD = str(tmp_path / "nobody")
    assert refused(actor, PNG) is Why.NOT_SCANNED
    with scanner(settings, tmp_path, takes=1000):
        assert refused(actor, LARGE) is Why.NOT_SCANNED


def test_without_a_scanner_nothing_is_asked(actor: Actor, settings: Any) -> None:
    settings.SALUS_CLAMD = ""
    assert take(actor, PNG).size == len(PNG)


def test_clamd_itself_with_a_signature_of_our_own(tmp_path: Path) -> None:
    with clamd(tmp_path) as path:
        assert asked(path, b"A letter about nothing.") is None
        assert asked(path, LARGE) is None
        assert asked(path, b"x" * 70_000 + MARKER) is Why.INFECTED


def test_where_none_is_set_there_is_none_to_ask(settings: Any) -> None:
    settings.SALUS_CLAMD = ""
    assert files.scanner() is None


@pytest.mark.parametrize(
    ("version", "signatures"),
    [
        (b"ClamAV 1.4.6/27500/Mon Nov 16 00:58:01 2026\0", datetime(2026, 11, 16, 0, 58, 1, tzinfo=UTC)),
        (b"ClamAV 1.4.6/27500/Sun Nov  1 00:58:01 2026\0", datetime(2026, 11, 1, 0, 58, 1, tzinfo=UTC)),
        (b"ClamAV 1.4.6\0", None),
        (b"ClamAV 1.4.6/27500/yesterday\0", None),
        (b"ClamAV 1.4.6/27500/Mon Nov 16 00:58:01 2026", None),
        (b"UNKNOWN COMMAND\0", None),
        (b"", None),
    ],
)
def test_a_scanner_says_of_when_its_signatures_are(
    settings: Any, tmp_path: Path, version: bytes, signatures: datetime | None
) -> None:
    with scanner(settings, tmp_path, version=version):
        assert files.scanner() == Found(answers=True, signatures=signatures)


@pytest.mark.parametrize("pong", [b"", b"PONG", b"UNKNOWN COMMAND\0", b"x" * 5000])
def test_a_scanner_that_does_not_say_pong_does_not_answer(settings: Any, tmp_path: Path, pong: bytes) -> None:
    with scanner(settings, tmp_path, pong=pong):
        assert files.scanner() == Found(answers=False)


def test_a_scanner_that_is_away_or_says_nothing_does_not_answer(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Found(answers=False)
    settings.SALUS_CLAMD = str(tmp_path / "nobody")
    assert files.scanner() == away
    settings.SALUS_CLAMD = str(tmp_path / ("long" * 50))
    assert files.scanner() == away
    monkeypatch.setattr(scanning, "SOON", 0.05)
    settings.SALUS_CLAMD = str(tmp_path / "silent")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(settings.SALUS_CLAMD)
        silent.listen()
        assert files.scanner() == away


def test_clamd_itself_says_of_when_its_signatures_are(settings: Any, tmp_path: Path) -> None:
    made = datetime(2026, 11, 16, 0, 58, 1, tzinfo=UTC)
    (tmp_path / "own").mkdir()
    (tmp_path / "daily").mkdir()
    with clamd(tmp_path / "own") as path:
        settings.SALUS_CLAMD = str(path)
        assert files.scanner() == Found(answers=True)
    assert files.scanner() == Found(answers=False)
    with clamd(tmp_path / "daily", daily=made) as path:
        settings.SALUS_CLAMD = str(path)
        assert files.scanner() == Found(answers=True, signatures=made)
        assert asked(path, MARKER) is Why.INFECTED


def asked(path: Path, data: bytes) -> Why | None:
    scan = Scan(str(path))
    try:
        for start in range(0, len(data), 65536):
            scan.feed(data[start : start + 65536])
        scan.end()
    except FileRefused as found:
        return found.why
    return None
