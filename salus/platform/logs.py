"""Logs as JSON lines that cannot show PHI: `Phi` masks itself, and what looks like PHI is masked too."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from salus.kernel.phi import MASK

_EMAIL = re.compile(r"[^\s\"'<>=:,;()]+@[^\s\"'<>=:,;()]+")
_DATABASE_DETAIL = re.compile(r"^(DETAIL|CONTEXT|HINT|LINE \d+):.*$", re.MULTILINE)
_PHONE = re.compile(r"(?<![\w.:-])\+?\(?\d[\d\s().-]{8,}\d(?![\w:-])")
_DATE = re.compile(r"\b(19|20)\d\d-\d\d-\d\d\b(?![T ]\d\d:)")


def scrub(text: str) -> str:
    """Return `text` with e-mail addresses, phone numbers, bare dates and database details masked.

    The last net only: PHI should never get this far. A database's DETAIL quotes column values.
    """
    text = _DATABASE_DETAIL.sub(lambda found: f"{found[1]}: {MASK}", text)
    for pattern in (_EMAIL, _PHONE, _DATE):
        text = pattern.sub(MASK, text)
    return text


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and for an exception its type and frames.

    Frames show file, line and function, never source text or local values.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrub(record.getMessage()),
        }
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            line["error"] = f"{type(error).__name__}: {scrub(str(error))}"
            line["frames"] = [
                f"{frame.filename.rpartition('/salus/')[2]}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(record.exc_info[2], limit=-20)
            ]
        return json.dumps(line, ensure_ascii=False)


def configure(settings: Mapping[str, Any]) -> None:
    """Send every logger through the redacting formatter to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.get("level", "INFO"))
    # Django would print SQL with its parameters at DEBUG; procrastinate job arguments at INFO.
    logging.getLogger("django.db.backends").setLevel("WARNING")
    logging.getLogger("procrastinate").setLevel("WARNING")
