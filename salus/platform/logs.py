"""Logs as JSON lines that cannot show PHI: `Phi` masks itself, and what looks like PHI is masked too."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg

from salus.kernel.errors import SalusError
from salus.kernel.phi import MASK

_EMAIL = re.compile(r"[^\s\"'<>=:,;()]+@[^\s\"'<>=:,;()]+")
_DATABASE_DETAIL = re.compile(r"^(DETAIL|CONTEXT|HINT|LINE \d+):.*$", re.MULTILINE)
_PHONE = re.compile(r"(?<![\w.:-])\+?\(?\d[\d\s().-]{8,}\d(?![\w:-])")
_DATE = re.compile(r"\b(19|20)\d\d-\d\d-\d\d\b(?![T ]\d\d:)")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{48,}")
"""Sealed tokens stand in addresses of pages, and Django logs the address of a refused request."""


def scrub(text: str) -> str:
    """Return `text` with e-mail addresses, phones, bare dates, tokens and database details masked.

    The last net only: PHI should never get this far. A database's DETAIL quotes column values.
    """
    text = _DATABASE_DETAIL.sub(lambda found: f"{found[1]}: {MASK}", text)
    for pattern in (_TOKEN, _EMAIL, _PHONE, _DATE):
        text = pattern.sub(MASK, text)
    return text


def told(error: BaseException) -> str:
    """Return what may be said of an exception: its type, and its text only when we wrote that ourselves.

    Others quote what they were given (`invalid literal for int(): 'Rosa'`); of a database's refusal
    its code and the names of constraint, table and column are enough, and those are no values.
    """
    name = type(error).__name__
    if isinstance(error, SalusError):
        return f"{name}: {scrub(str(error))}"
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if not isinstance(cause, psycopg.Error):
        return name
    found = cause.diag
    where = (found.sqlstate, found.constraint_name, found.table_name, found.column_name)
    return " ".join([name, *filter(None, where)])


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and for an exception its type and frames.

    Frames show file, line and function, never source text or local values. Of others' messages only
    the first line is kept: what follows is a traceback with an exception's text.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`."""
        message = record.getMessage()
        if not record.name.startswith("salus"):
            message = message.partition("\n")[0]
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrub(message),
        }
        if record.exc_info and record.exc_info[1]:
            line["error"] = told(record.exc_info[1])
            line["frames"] = [
                f"{frame.filename.rpartition('/salus/')[2]}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(record.exc_info[2], limit=-20)
            ]
        return json.dumps(line, ensure_ascii=False)


class Handler(logging.StreamHandler[Any]):
    """Writes redacted lines; a record that cannot be written says so, and shows none of its arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Say where the faulty call is; the library's own way prints its arguments."""
        _say(f"a log line could not be written: {record.filename}:{record.lineno}", sys.exception())


def configure(settings: Mapping[str, Any]) -> None:
    """Send every logger through the redacting formatter to standard error."""
    handler = Handler()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.get("level", "INFO"))
    # Django would print SQL with its parameters at DEBUG; procrastinate job arguments at INFO.
    logging.getLogger("django.db.backends").setLevel("WARNING")
    logging.getLogger("procrastinate").setLevel("WARNING")
    # The web server writes past the root logger; what an answer raised while it was streamed comes here.
    server = logging.getLogger("_granian")
    server.handlers.clear()
    server.propagate = True


@contextmanager
def last_words() -> Iterator[None]:
    """Let an exception that nobody caught, here or in a thread, end as one redacted line of the log.

    Python's own traceback would print the exception's text and the source lines to the log file.
    """
    before = threading.excepthook
    threading.excepthook = _thread_ended
    try:
        yield
    except (SalusError, KeyboardInterrupt):
        raise
    except Exception as error:  # noqa: BLE001 - it ends the process, said in one line
        _say("unhandled error", error)
        raise SystemExit(70) from None
    finally:
        threading.excepthook = before


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        _say("unhandled error in a thread", ended.exc_value)


def _say(what: str, error: BaseException | None) -> None:
    """Write straight to standard error: the logging may not be set up yet, or be what failed."""
    about = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(__name__, logging.ERROR, __file__, 0, what, None, about)
    print(JsonFormatter().format(record), file=sys.stderr, flush=True)  # noqa: T201 - see above
