"""Entries of the log as lines of a file: CSV, JSON, and syslog (RFC 5424); pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

import orjson

from salus.audit.contracts import Entry
from salus.reports.contracts import LogForm
from salus.reports.rules import safe_cell

COLUMNS = (
    "position",
    "id",
    "at",
    "action",
    "outcome",
    "actor_kind",
    "actor_id",
    "actor_name",
    "role",
    "session_id",
    "ip",
    "object_kind",
    "object_id",
    "patient_id",
    "fields",
    "purpose",
    "reason",
    "rule_version",
    "details",
)
FACILITY = 13
"""Log audit (RFC 5424, 6.2.1, table 1)."""
INFORMATIONAL, NOTICE, WARNING = 6, 5, 4
"""Severities (RFC 5424, 6.2.1, table 2)."""
SEVERITIES = {"ok": INFORMATIONAL, "failed": WARNING}
"""By outcome; what was refused, and whatever else is not as usual, is a notice."""
LONGEST_MSGID = 32


def values(entry: Entry) -> dict[str, Any]:
    """Return an entry as JSON values: ids, words and counts only, as the log holds it."""
    found = {name: getattr(entry, name) for name in COLUMNS}
    for name in ("id", "actor_id", "object_id", "patient_id"):
        found[name] = str(found[name]) if found[name] else None
    found["at"] = entry.at.isoformat()
    found["fields"] = list(entry.fields)
    return found


def lines(entries: Iterable[Entry], form: LogForm, host: str) -> Iterable[str]:
    """Yield one line, with its end, for each entry; `host` is where Salus runs, for syslog."""
    for entry in entries:
        if form is LogForm.CSV:
            yield csv_line(_cells(entry))
        elif form is LogForm.JSON:
            yield orjson.dumps(values(entry)).decode() + "\n"
        else:
            yield syslog(entry, host) + "\n"


def head(form: LogForm) -> str:
    """Return what stands before the first entry of a file."""
    return csv_line(COLUMNS) if form is LogForm.CSV else ""


def csv_line(cells: Iterable[object]) -> str:
    """Return a line of a CSV in which no cell is taken for a formula."""
    out = io.StringIO()
    csv.writer(out).writerow([safe_cell(cell) for cell in cells])
    return out.getvalue()


def syslog(entry: Entry, host: str) -> str:
    """Return an entry as a message of RFC 5424, in ASCII and without a line end.

    HOSTNAME is `host`, MSGID the action; what it says follows as JSON after the cookie "@cee:" that log
    programs read it by. The structured data is the registered "origin", for the rest would need a
    private enterprise number.
    """
    priority = FACILITY * 8 + SEVERITIES.get(entry.outcome, NOTICE)
    at = entry.at.isoformat().replace("+00:00", "Z")
    said = orjson.dumps(values(entry)).decode()
    name = entry.action[:LONGEST_MSGID]
    return f'<{priority}>1 {at} {host or "-"} salus - {name} [origin software="salus"] @cee: {said}'


def _cells(entry: Entry) -> Iterable[object]:
    for name, value in values(entry).items():
        if name == "fields":
            yield " ".join(entry.fields)
        elif name == "details":
            yield orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if value else ""
        else:
            yield "" if value is None else value
