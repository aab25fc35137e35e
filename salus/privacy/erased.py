"""The list of the erased that is kept outside the database, so that a restore does not bring them back.

It holds ids only: of the organization, the request and the person. It stands in the home folder, and every backup
takes it along (docs/backup.md).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import orjson

from salus.contacts import api as contacts
from salus.kernel.errors import Unavailable
from salus.keys import api as keys
from salus.platform.tenancy import current_organization
from salus.privacy.contracts import Kind, Status
from salus.privacy.models import RequestRow
from salus.privacy.requests import binding

_AGAIN = "Erased before; a restore had brought the record back."
_list: Path | None = None


def use_erased_list(path: Path) -> None:
    """Set the file of the list, for this process."""
    global _list
    _list = path


@dataclass(frozen=True, slots=True)
class Erased:
    """One line: whose request, about whom, and when it was done."""

    request_id: UUID
    contact_id: UUID
    at: datetime


def remember() -> int:
    """Put every finished erasure of the current organization on the list; return how many were not there yet."""
    done = RequestRow.objects.filter(kind=Kind.ERASURE, status=Status.DONE)
    known = {each.request_id for each in _listed()}
    missing = [row for row in done.order_by("done_at", "id") if row.id not in known]
    if missing:
        _append([_line(row) for row in missing])
    return len(missing)


def done_at(request_id: UUID) -> datetime | None:
    """Return when an erasure was done, as the list says it; None for one that is not on it.

    A database that was restored may show a hold that had been lifted by then.
    """
    return next((each.at for each in _listed() if each.request_id == request_id), None)


def came_back() -> list[Erased]:
    """Return whom the list names and the current organization has all the same."""
    listed = _listed()
    living = contacts.versions([each.contact_id for each in listed])
    return [each for each in listed if each.contact_id in living]


def listed() -> int:
    """Return how many erasures of the current organization are on the list."""
    return len(_listed())


def unlisted() -> int:
    """Return how many erasures of the current organization are done and not on the list."""
    known = {each.request_id for each in _listed()}
    done = RequestRow.objects.filter(kind=Kind.ERASURE, status=Status.DONE)
    return sum(id not in known for id in done.values_list("id", flat=True))


def ask_again(erased: Erased) -> None:
    """Have an approved request for an erasure that was done; the database that came back may know nothing of it."""
    row = RequestRow.objects.filter(id=erased.request_id).first()
    if row is None:
        text = orjson.dumps({"note": _AGAIN, "reason": ""})
        row = RequestRow(
            id=erased.request_id,
            kind=Kind.ERASURE,
            contact_id=erased.contact_id,
            received_at=erased.at,
            due_at=erased.at,
            sealed=keys.sealer().seal(text, binding(erased.request_id)),
        )
    if row.status != Status.DONE:
        row.status, row.decided_at = Status.APPROVED, erased.at
    row.save()


def _line(row: RequestRow) -> bytes:
    facts = {"organization": current_organization(), "request": row.id, "person": row.contact_id}
    return orjson.dumps(facts | {"at": row.done_at}, option=orjson.OPT_APPEND_NEWLINE)


def _listed() -> list[Erased]:
    mine = str(current_organization())
    return [
        Erased(UUID(each["request"]), UUID(each["person"]), datetime.fromisoformat(each["at"]))
        for each in _lines()
        if each["organization"] == mine
    ]


def _lines() -> Iterator[dict[str, str]]:
    if _path().exists():
        for line in _path().read_bytes().splitlines():
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError:
                continue  # cut short by a crash: it is written again, from the request


def _append(lines: list[bytes]) -> None:
    with _writing() as file:
        size = os.fstat(file).st_size
        cut_short = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        os.write(file, (b"\n" if cut_short else b"") + b"".join(lines))
        os.fsync(file)


@contextmanager
def _writing() -> Iterator[int]:
    file = os.open(_path(), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _path() -> Path:
    if _list is None:
        raise Unavailable(
            "Nobody says where the list of the erased is.", next_step="Start Salus through its command line."
        )
    return _list
