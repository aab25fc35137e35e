"""Reads reports about TLS to our mail host (RFC 8460, 4.4): how many sessions went well, and why others did not."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from salus.domains.contracts import BadReport, TlsResults
from salus.domains.rules.safely import called, day_of, host, number, word

MOST: Final = 100
"""Policies in a report, and failures in a policy."""
_RESULT = re.compile(r"[a-z0-9-]{1,64}")


def read(body: bytes) -> TlsResults:
    """Return a report. Raises `BadReport`; of what it says only what has its form is taken, and no free text."""
    try:
        found = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        raise BadReport("It is not JSON.") from None
    if not isinstance(found, dict) or not isinstance(found.get("policies"), list):
        raise BadReport("It is no report about TLS.")
    domain, good, failures = "", 0, dict[str, int]()
    for policy in _few(found["policies"]):
        domain = host(str(_of(_of(policy, "policy"), "policy-domain")).lower())
        summary = _of(policy, "summary")
        good += number(_of(summary, "total-successful-session-count", 0))
        bad = number(_of(summary, "total-failure-session-count", 0))
        for each in _few(_of(policy, "failure-details", [])):
            result = _of(each, "result-type")
            if not isinstance(result, str) or not _RESULT.fullmatch(result):
                raise BadReport("A result is none of the standard.")
            count = number(_of(each, "failed-session-count", 0))
            failures[result] = failures.get(result, 0) + count
            bad -= count
        if bad > 0:
            failures["not-said"] = failures.get("not-said", 0) + bad
    if not domain:
        raise BadReport("It is about no domain.")
    return TlsResults(
        reporter=called(_of(found, "organization-name")),
        id=word(_of(found, "report-id")),
        domain=domain,
        begin=_begin(_of(_of(found, "date-range"), "start-datetime")),
        good=good,
        failures=failures,
    )


def _of(value: Any, name: str, default: Any = None) -> Any:
    if not isinstance(value, dict):
        raise BadReport("It is no report about TLS.")
    return value.get(name, default)


def _few(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > MOST:
        raise BadReport("It has more parts than a report may.")
    return value


def _begin(text: Any) -> datetime:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise BadReport("Its time is none.") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return day_of(int(at.timestamp()))
