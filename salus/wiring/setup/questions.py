"""The questions of the set-up, in the order in which they are asked; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import SenderRole

Answers = Mapping[str, str]
LEAST_KEPT, MOST_KEPT = 30, 36_525
"""Days; retention refuses others too."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Sort(StrEnum):
    """What kind of answer a question has."""

    TEXT = "text"
    CHOICE = "choice"
    DATE = "date"
    SECRET = "secret"  # noqa: S105 - the word for one
    """It is asked again each time: no secret is kept here."""


def _always(answers: Answers) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `default` may depend on earlier answers, `check` raises `BadInput`."""

    key: str
    label: str
    help: str = ""
    sort: Sort = Sort.TEXT
    choices: tuple[tuple[str, str], ...] = ()
    default: Callable[[Answers], str] = field(default=lambda answers: "")
    required: bool = True
    check: Callable[[str], object] = field(default=lambda text: None)
    when: Callable[[Answers], bool] = _always


@dataclass(frozen=True, slots=True)
class Section:
    """Some questions that belong together, and why they are asked."""

    key: str
    title: str
    why: str
    citation: str
    questions: tuple[Question, ...]


def check_public_url(text: str) -> None:
    """Refuse what is no address of a site, and plain http off loopback."""
    parts = urlsplit(text)
    try:
        well = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        well = False
    if not well or parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise BadInput("Write it like https://messages.clinic.org, without a path.", place="public_url")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise BadInput(
            "Plain http is served on this machine only.",
            place="public_url",
            next_step="Name the https address of your proxy.",
        )


def check_http(text: str) -> None:
    """Refuse what is no host and port to listen at."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadInput("Write it like 127.0.0.1:8480.", place="http")


def check_addresses(public_url: str, http: str) -> None:
    """Refuse to listen where others can reach us without an https address (45 CFR 164.312(e)(1))."""
    check_public_url(public_url)
    check_http(http)
    if http.rpartition(":")[0].strip("[]") not in LOOPBACK and not public_url.startswith("https://"):
        raise BadInput(
            "Plain http is served on this machine only.",
            place="public_url",
            next_step="Name the https address of your proxy.",
        )


def _slug(answers: Answers) -> str:
    return re.sub(r"[^a-z0-9]+", "-", answers.get("name", "").lower()).strip("-")[:40].strip("-")


def _whole_path(text: str) -> None:
    if not text.startswith("/"):  # else it would be another folder wherever Salus is started from
        raise BadInput("Write the whole path, like /mnt/backup/salus.")


def _email(text: str) -> None:
    local, _, domain = text.rpartition("@")
    if not local or "." not in domain or any(character.isspace() for character in text):
        raise BadInput("That is not an e-mail address.", place="email")


def _kept_days(text: str) -> None:
    if not (text.isascii() and text.isdecimal()) or not LEAST_KEPT <= int(text[:9]) <= MOST_KEPT:
        raise BadInput(
            f"Write a number of days, {LEAST_KEPT} at least and {MOST_KEPT} at most.", place="kept_days"
        )


def _day(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise BadInput("Write the day like 2026-12-01.", place="day") from None


def _slug_is_well(text: str) -> None:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", text):
        raise BadInput("Use up to 40 small letters, digits and hyphens.", place="slug")


def _zone(text: str) -> None:
    if text not in available_timezones():
        raise BadInput("That is no time zone.", place="time_zone", next_step="Write it like America/Chicago.")


def _domain(text: str) -> None:
    label = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    if len(text) > 253 or not re.fullmatch(rf"({label}\.)+{label}", text.lower()):
        raise BadInput("That is not a domain name.", place="sending_domain")


def _relay_address(text: str) -> None:
    try:
        parts = urlsplit(text)
        well = parts.scheme in ("smtp", "smtps") and parts.hostname and parts.port != 0
    except ValueError:
        well = False
    if not well or parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise BadInput("Write it like smtp://relay.example:587 or smtps://relay.example:465.", place="relay")


def _spf(text: str) -> None:
    """Refuse what is no list of SPF mechanisms (RFC 7208, 5)."""
    pattern = r"(a|mx|include|ip4|ip6|exists)([:/][A-Za-z0-9._:/%{}-]+)*"
    if not text.split() or not all(re.fullmatch(pattern, each) for each in text.split()):
        raise BadInput("Write SPF mechanisms, like include:spf.relay.example or ip4:192.0.2.7.", place="spf")


def _vault_key(text: str) -> None:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or len(parts.path.strip("/").split("/")) < 2:
        raise BadInput("Write it like https://vault.clinic.org:8200/transit/salus.", place="vault_key")


def _hours(text: str) -> None:
    if not text.isdecimal() or not 1 <= int(text) <= 1440:
        raise BadInput("Write hours between 1 and 1440 (60 days, 45 CFR 164.410(b)).", place="report_hours")


def _by_relay(answers: Answers) -> bool:
    return answers.get("route") == "relay"


def _by_their_relay(answers: Answers) -> bool:
    return _by_relay(answers) and answers.get("relay_relation") == "associate"


def _by_attested_relay(answers: Answers) -> bool:
    return _by_relay(answers) and bool(answers.get("relay_attested_by"))


def _by_kms(answers: Answers) -> bool:
    return answers.get("key_provider") == "aws-kms"


def _by_vault(answers: Answers) -> bool:
    return answers.get("key_provider") == "vault"


def _with_login(answers: Answers) -> bool:
    return _by_relay(answers) and bool(answers.get("relay_user"))


def _as(text: str) -> Callable[[Answers], str]:
    return lambda answers: text


def _person(role: str, words: str, help_: str) -> tuple[Question, Question]:
    return (
        Question(f"{role}_name", f"{words}: name", help_),
        Question(
            f"{role}_email", f"{words}: e-mail", "They get an invitation with a second factor.", check=_email
        ),
    )


YES_NO = (("yes", "Yes"), ("no", "No"))
RELATIONS = (("associate", "A business associate: it works for us"), ("ours", "We run it ourselves"))

SECTIONS = (
    Section(
        "organization", "Your organization", "Every message names its sender.", "15 USC 7704(a)(5)",
        (
            Question("name", "Name"),
            Question("slug", "Short name", "Small letters, digits, hyphens, for commands and addresses. Empty: made from the name.", default=_slug, check=_slug_is_well),
            Question(
                "sender_role", "What it is", sort=Sort.CHOICE,
                choices=tuple((each.value, each.value.replace("_", " ").replace("part2", "part 2").capitalize()) for each in SenderRole),
                default=_as("provider"),
            ),
            Question("postal_address", "Postal address", "Commercial messages carry it."),
            Question("phone", "Phone"),
            Question("time_zone", "Time zone", "Like America/Chicago.", default=_as("America/New_York"), check=_zone),
        ),
    ),
    Section(
        "people", "Who answers for it",
        "The law wants a privacy and a security officer. One person may be several of them; the same e-mail is the same person.",
        "45 CFR 164.308(a)(2), 164.530(a)(1)(i)",
        (
            *_person("privacy_officer", "Privacy officer", "Approves what is sent, and answers patients."),
            *_person("security_officer", "Security officer", "Looks after access, keys and the log."),
            *_person("administrator", "Administrator", "Lets staff in; sees no patient."),
        ),
    ),
    Section(
        "address", "Where people reach it", "Off this machine, nothing is served without TLS.",
        "45 CFR 164.312(e)(1)",
        (
            Question(
                "public_url", "Public address", "The https address of your TLS proxy, like https://messages.clinic.org.",
                check=check_public_url,
            ),
            Question("http", "Where Salus listens for the proxy", default=_as("127.0.0.1:8480"), check=check_http),
        ),
    ),
    Section(
        "machine", "Data and keys", "Everything about patients is sealed before it is stored.",
        "45 CFR 164.312(a)(2)(iv)",
        (
            Question(
                "database", "Database", "A server of your own is named by DATABASE_URL in the environment.", Sort.CHOICE,
                (("embedded", "Embedded: Salus runs its own PostgreSQL"), ("server", "The server that DATABASE_URL names")),
                _as("embedded"),
            ),
            Question(
                "key_provider", "Who wraps the keys", "Start with the file if you are not sure: keys can move later.",
                Sort.CHOICE, (("file", "A key file on this machine"), ("aws-kms", "AWS KMS"), ("vault", "OpenBao or HashiCorp Vault")), _as("file"),
            ),
            Question("kms_key", "ARN of the key in AWS KMS", when=_by_kms),
            Question(
                "vault_key", "Address of the key in OpenBao or Vault",
                "Of its transit engine, like https://vault.clinic.org:8200/transit/salus. The token is in VAULT_TOKEN_FILE.",
                check=_vault_key, when=_by_vault,
            ),
        ),
    ),
    Section(
        "sending", "How mail goes out", "A relay that somebody else runs is a business associate and needs an agreement.",
        "45 CFR 164.502(e), 164.504(e)",
        (
            Question(
                "route", "Way of the mail", "", Sort.CHOICE,
                (("relay", "By a relay (smarthost)"), ("direct", "Straight to the recipients' mail hosts")), _as("relay"),
            ),
            Question(
                "relay_address", "Address of the relay",
                "smtp://host:587 (STARTTLS, demanded) or smtps://host:465. Its certificate must be valid for the host.",
                check=_relay_address, when=_by_relay,
            ),
            Question("relay_user", "User name at the relay", required=False, when=_by_relay),
            Question("relay_password", "Password at the relay", sort=Sort.SECRET, when=_with_login),
            Question("relay_vendor", "Who runs the relay", default=lambda known: known.get("name", ""), when=_by_relay),
            Question("relay_relation", "What they are to you", sort=Sort.CHOICE, choices=RELATIONS, default=_as("associate"), when=_by_relay),
            Question("relay_signed_on", "Agreement signed on", "Empty while it is not signed: mail waits until then.", Sort.DATE, required=False, check=_day, when=_by_their_relay),
            Question("relay_valid_until", "Agreement valid until", "Empty if it has no end.", Sort.DATE, required=False, check=_day, when=_by_their_relay),
            Question("relay_report_hours", "They report a breach within, hours", default=_as("24"), check=_hours, when=_by_their_relay),
            Question("relay_clauses", "Has it all twelve clauses of 45 CFR 164.504(e)?", "The vendor register lists them.", Sort.CHOICE, YES_NO, _as("no"), when=_by_their_relay),
            Question("relay_attested_by", "Who attests encryption, access control, second factor and audit of the relay", "Empty: mail waits until somebody does, in the vendor register.", required=False, when=_by_relay),
            Question("relay_evidence", "What they saw for it", "Like: the relay's settings page of today.", when=_by_attested_relay),
        ),
    ),
    Section(
        "domain", "The sending domain", "Receivers believe mail whose domain says who may send it and signs it.",
        "45 CFR 164.312(d), (e)(2)(i)",
        (
            Question("sending_domain", "Domain that mail comes from", "Best one of its own, like mail.clinic.org.", check=_domain),
            Question("spf", "Who may send for it (SPF)", "What your relay's documentation says, like include:spf.relay.example; or ip4: and your address.", default=_as("mx"), check=_spf),
        ),
    ),
    Section(
        "keep", "What is kept", "Records of what was done are kept for six years; the audit log is never shortened.",
        "45 CFR 164.316(b)(2)(i), 164.308(a)(7)(ii)(A)",
        (
            Question("backup", "Folder for backups, on another disk", "They are sealed. Kept: one of each of 7 days, 5 weeks, 12 months. Empty: later.", required=False, check=_whole_path),
            Question("kept_days", "Keep what was sent for, days", "2192 are six years. Also for what patients wrote and for tasks; each by itself later, under Retention.", default=_as("2192"), required=False, check=_kept_days),
            Question("vendors", "Others who work with patients' data", "Names, with commas between. Each gets a page for its agreement; nothing goes there before.", required=False),
        ),
    ),
    Section(
        "test", "A test message", "It tells nothing of anybody, and shows the way of the mail.", "45 CFR 164.308(a)(8)",
        (Question("test_to", "Send it to", "An address of yours. Empty: later.", required=False, check=_email),),
    ),
)  # fmt: skip
"""Asked in this order, on the terminal and on the page of the first run."""


def asked(section: Section, answers: Answers) -> tuple[Question, ...]:
    """Return the questions of a section that these answers lead to."""
    return tuple(each for each in section.questions if each.when(answers))


def check(question: Question, text: str) -> str:
    """Return an answer without spaces around it; raises `BadInput` with the question's key as its place."""
    kept = text.strip()
    if not kept:
        if question.required:
            raise BadInput("This is needed.", place=question.key)
        return ""
    if question.choices and kept not in {value for value, _ in question.choices}:
        known = ", ".join(value for value, _ in question.choices)
        raise BadInput(f"This is one of: {known}.", place=question.key)
    try:
        question.check(kept)
    except BadInput as fault:
        raise BadInput(fault.what, place=question.key, next_step=fault.next_step) from None
    return kept
