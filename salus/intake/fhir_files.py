"""Finds the FHIR files of a bulk export in a directory, and what each holds."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from salus.intake.fhir import READERS, kind_of
from salus.intake.operations import Incoming
from salus.intake.uploads import SIZE
from salus.kernel.errors import BadInput

_ORDER = {kind: place for place, kind in enumerate(READERS)}


def pieces(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, unpacked when its name ends in .gz; it is read only when it is asked for."""
    with _open(path) as file:
        while piece := file.read(SIZE):
            yield piece


def _open(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def find(paths: Iterable[Path]) -> list[Incoming]:
    """Return the NDJSON files among `paths` (files or directories) that we read, patients first.

    Raises `BadInput` when there is no such path or nothing to read.
    """
    found: list[tuple[int, str, Incoming]] = []
    for path in paths:
        if not path.exists():
            raise BadInput("there is no such file or directory", place=str(path))
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if file.is_file() and file.name.endswith((".ndjson", ".ndjson.gz", ".json", ".jsonl")):
                kind = _kind_in(file)
                if kind in _ORDER:
                    found.append((_ORDER[kind], file.name, Incoming(file.name, kind, pieces(file))))
    if not found:
        raise BadInput(
            f"holds no FHIR NDJSON of: {', '.join(READERS)}", place=", ".join(str(one) for one in paths)
        )
    return [incoming for _, _, incoming in sorted(found, key=lambda one: one[:2])]


def _kind_in(path: Path) -> str:
    try:
        with _open(path) as file:
            return kind_of(file.readline(64 * SIZE)) or path.name.partition(".")[0].partition("-")[0]
    except OSError:
        raise BadInput("cannot be read", place=path.name) from None
