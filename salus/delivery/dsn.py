"""Reads what comes back: delivery status notifications (RFC 3464), and the common ones that follow no standard.

Whatever the internet sends ends up here, so everything is bounded: octets, lines, parts, recipients;
nothing recurses and no expression backtracks. What cannot be read is said, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from salus.delivery.parts import Field, Part, flatten, header_fields, read_part
from salus.delivery.status import Verdict, classify, enhanced_status
from salus.kernel.phi import Phi

MAX_OCTETS = 512 * 1024
"""Octets that are looked at; a bounce says what it has to say in the first of them."""
MAX_RECIPIENTS = 50


class Action(StrEnum):
    """What became of a message at the far end (RFC 3464, 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class Form(StrEnum):
    """How the notification was written."""

    STANDARD = "rfc3464"
    EXIM = "exim"
    QMAIL = "qmail"
    TEXT = "text"


class NoReport(StrEnum):
    """Why something is not a delivery report."""

    EMPTY = "empty"
    AUTO_REPLY = "auto_reply"
    """Somebody is away, or a program answers: the message did arrive."""
    NOT_A_REPORT = "not_a_report"
    UNREADABLE = "unreadable"
    """It says that it is a report, and holds none that can be read."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was reported of one recipient; `verdict` counts when the action is FAILED or DELAYED."""

    action: Action
    status: str
    code: int
    verdict: Verdict
    recipient: Phi[str]


@dataclass(frozen=True, slots=True)
class Dsn:
    """A delivery report; `message_id` is that of our message, when they returned it, else empty."""

    form: Form
    reports: tuple[Report, ...]
    message_id: str = ""
    envelope_id: str = ""


_BOUNCE_SUBJECTS = (
    "undeliver",
    "delivery status notification",
    "delivery failure",
    "delivery has failed",
    "delivery notification",
    "failure notice",
    "failure delivery",
    "mail delivery failed",
    "mail delivery system",
    "mail system error",
    "message delivery",
    "non delivery",
    "non-delivery",
    "not delivered",
    "returned mail",
    "returned to sender",
    "warning: could not send",
)
_DAEMONS = ("mailer-daemon", "postmaster", "mail delivery subsystem", "mail delivery system")
_MESSAGE_ID = re.compile(r"<([!-;=?-~]{1,250})>")
_ADDRESS = re.compile(r"<?([!-;=?A-~]{1,64}@[A-Za-z0-9.\[\]:-]{1,253})>?")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.-])([45]\d\d)[ -](?!\d\d)")


def parse(raw: bytes) -> Dsn | NoReport:
    """Return what `raw` (a whole message as it came) reports, or why it is no report. Never raises."""
    text = raw[:MAX_OCTETS].decode("latin-1").replace("\r\n", "\n")
    if not text.strip():
        return NoReport.EMPTY
    top = read_part(text)
    parts = flatten(top)
    message_id = _returned_message_id(parts)
    for part in parts:
        if part.kind in {"message/delivery-status", "message/global-delivery-status"}:
            return _standard(part.text(), message_id) or NoReport.UNREADABLE
    if _automatic(top):
        return NoReport.AUTO_REPLY
    if not _looks_like_bounce(top):
        return NoReport.NOT_A_REPORT
    words = next((part.text() for part in parts if part.kind == "text/plain"), parts[0].text())
    return _by_words(top, words, message_id) or NoReport.UNREADABLE


def _standard(text: str, message_id: str) -> Dsn | None:
    """Read the groups of fields of a message/delivery-status part (RFC 3464, section 2)."""
    groups = [group for block in text.split("\n\n")[: MAX_RECIPIENTS + 10] if (group := header_fields(block))]
    envelope_id = next((g["original-envelope-id"] for g in groups if "original-envelope-id" in g), "")
    reports = tuple(
        report
        for group in groups
        if "action" in group or "final-recipient" in group
        if (report := _of_recipient(group))
    )
    if not reports:
        return None
    return Dsn(Form.STANDARD, reports[:MAX_RECIPIENTS], message_id, envelope_id[:200])


def _of_recipient(group: Field) -> Report | None:
    diagnostic = _after_type(group.get("diagnostic-code", ""))
    status = _first(_STATUS, group.get("status", "")) or _first(_STATUS, diagnostic)
    code = int(_first(_REPLY, f" {diagnostic} ") or 0)
    word = group.get("action", "").split(" ")[0].lower()
    if word in set(Action):
        action = Action(word)
    elif status or code:
        action = Action.DELAYED if status.startswith("4") else Action.FAILED
    else:
        return None
    recipient = _after_type(group.get("original-recipient", "") or group.get("final-recipient", ""))
    # The final status outranks the reply: "failed, 4.4.7" is an end, whatever 4xx was seen on the way.
    verdict = classify(0 if status else code, status, diagnostic)
    return Report(action, status, code, verdict, Phi(_first(_ADDRESS, recipient) or recipient[:320]))


def _by_words(top: Part, words: str, message_id: str) -> Dsn | None:
    """Read a bounce without a delivery-status part: Exim, qmail, or any that quotes an SMTP reply."""
    failed = top.headers.get("x-failed-recipients", "")
    if failed:
        reports = tuple(_from_text(address, words) for address in _addresses(failed))
        return Dsn(Form.EXIM, reports, message_id) if reports else None
    own_words = _before_returned_message(words)
    form = Form.QMAIL if "qmail-send program" in own_words[:300] else Form.TEXT
    address = _first(_ADDRESS, re.sub(r"[^\n]{0,200}(?i:mailer-daemon|postmaster)@[^\n]*", "", own_words))
    report = _from_text(address, own_words)
    if not report.status and not report.code and report.verdict.reason == "not_said":
        return None
    return Dsn(form, (report,), message_id)


def _from_text(address: str, words: str) -> Report:
    reply = _REPLY.search(words)
    code = int(reply[1]) if reply else 0
    after = words[reply.end() : reply.end() + 300] if reply else words[:2000]
    status = enhanced_status(after.lstrip("#- ")) or _first(_STATUS, after)
    delayed = code // 100 == 4 and "will be retried" in words.lower()
    verdict = classify(code, status, after)
    return Report(Action.DELAYED if delayed else Action.FAILED, status, code, verdict, Phi(address))


def _before_returned_message(words: str) -> str:
    for mark in (
        "\n--- Below this line is a copy",
        "\n------ This is a copy of",
        "\n--- The header",
        "\n------- ",
    ):
        words = words.partition(mark)[0]
    return words[:20_000]


def _looks_like_bounce(top: Part) -> bool:
    subject = top.headers.get("subject", "").lower()
    sender = top.headers.get("from", "").lower()
    if "x-failed-recipients" in top.headers:
        return True
    daemon = any(word in sender for word in _DAEMONS) or top.headers.get("return-path", "") == "<>"
    return daemon and any(word in subject for word in _BOUNCE_SUBJECTS)


def _automatic(top: Part) -> bool:
    """Tell a holiday notice or a robot's answer (RFC 3834) from a bounce."""
    automatic = top.headers.get("auto-submitted", "no").lower()
    if automatic.startswith("auto-replied") or "x-autoreply" in top.headers or "x-autorespond" in top.headers:
        return "x-failed-recipients" not in top.headers and not _looks_like_bounce(top)
    subject = top.headers.get("subject", "").lower()
    return subject.startswith(
        ("out of office", "automatic reply", "autoreply", "auto:", "respuesta automática")
    )


def _returned_message_id(parts: list[Part]) -> str:
    for part in parts:
        if part.kind in {"message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global"}:
            fields = header_fields(part.text().lstrip("\n").partition("\n\n")[0])
            if found := _first(_MESSAGE_ID, fields.get("message-id", "")):
                return found
    return ""


def _after_type(value: str) -> str:
    """Return what follows the type in "rfc822; ana@example.org" or "smtp; 550 No"."""
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon and len(kind) < 40 else value.strip()


def _addresses(text: str) -> Iterator[str]:
    for number, found in enumerate(_ADDRESS.finditer(text[:5000])):
        if number == MAX_RECIPIENTS:
            return
        yield found[1]


def _first(expression: re.Pattern[str], text: str) -> str:
    found = expression.search(text[:20_000])
    return found[1] if found else ""
