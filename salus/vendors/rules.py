"""Pure decisions of vendors: what an agreement lacks, how it stands, whether a service may carry this."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from urllib.parse import urlsplit

from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import PhiClass, Special
from salus.vendors.contracts import Clause, Label, Standing, Why

C = Clause


@dataclass(frozen=True, slots=True)
class Asked:
    """A line of the checklist: what the agreement must say, by which law; an optional one by none."""

    words: str
    citation: str = ""

    @property
    def required(self) -> bool:
        """Tell whether an agreement without it does not hold."""
        return bool(self.citation)


CLAUSES: Mapping[Clause, Asked] = MappingProxyType(
    {
        C.PERMITTED_USES: Asked("Names the uses and disclosures it may make", "45 CFR 164.504(e)(2)(i)"),
        C.NO_OTHER_USE: Asked("Uses and discloses nothing else", "45 CFR 164.504(e)(2)(ii)(A)"),
        C.SAFEGUARDS: Asked(
            "Keeps safeguards, and the Security Rule for electronic PHI",
            "45 CFR 164.504(e)(2)(ii)(B), 164.314(a)(2)(i)(A)",
        ),
        C.REPORTING: Asked(
            "Reports other uses, breaches and security incidents",
            "45 CFR 164.504(e)(2)(ii)(C), 164.314(a)(2)(i)(C)",
        ),
        C.SUBCONTRACTORS: Asked(
            "Binds its subcontractors to the same", "45 CFR 164.504(e)(2)(ii)(D), 164.314(a)(2)(iii)"
        ),
        C.ACCESS: Asked("Makes records available for access", "45 CFR 164.504(e)(2)(ii)(E)"),
        C.AMENDMENT: Asked("Makes records available for amendment", "45 CFR 164.504(e)(2)(ii)(F)"),
        C.ACCOUNTING: Asked("Gives what an accounting of disclosures needs", "45 CFR 164.504(e)(2)(ii)(G)"),
        C.OUR_OBLIGATIONS: Asked(
            "Keeps our duties where it carries them out for us", "45 CFR 164.504(e)(2)(ii)(H)"
        ),
        C.BOOKS: Asked("Opens its books to the Secretary of HHS", "45 CFR 164.504(e)(2)(ii)(I)"),
        C.RETURN_OR_DESTROY: Asked(
            "Returns or destroys PHI at the end, or goes on protecting it", "45 CFR 164.504(e)(2)(ii)(J)"
        ),
        C.TERMINATION: Asked("May be ended for a material violation", "45 CFR 164.504(e)(2)(iii)"),
        C.AUDIT_RIGHTS: Asked("We may audit the vendor"),
        C.LIABILITY: Asked("Says who is liable for what"),
        C.SHORTER_REPORTING: Asked("Reports sooner than the law asks"),
        C.SUBCONTRACTOR_PROOF: Asked("Shows us its subcontractors' agreements"),
        C.CONFIGURATION: Asked("Says how the service must be set up"),
        C.PART2: Asked("Qualified service organization: records of a Part 2 program (42 CFR 2.11)"),
    }
)
"""The checklist, in the order of the law; lines without a citation are optional."""

REQUIRED = frozenset(clause for clause, asked in CLAUSES.items() if asked.required)
LONGEST_REPORT = 60 * 24
"""Hours: 60 days, the law's outer limit (45 CFR 164.410(b))."""
NEVER = frozenset({Special.PSYCHOTHERAPY_NOTES})
"""What no service may ever carry (45 CFR 164.508(a)(2))."""
SECRET_BYTES = 32
OLD_SECRET = timedelta(days=1)
"""How long the secret before signs along, so that a receiver can change without losing a call."""
ADDRESS = 500
"""The longest address, in characters."""
_ADDRESS = re.compile(r"[!-~]+")
"""Printable ASCII without a space: nothing that could add a line to a request."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def missing(clauses: Collection[Clause]) -> tuple[Clause, ...]:
    """Return the clauses that the law asks for and `clauses` lacks, in the order of the law."""
    return tuple(clause for clause in CLAUSES if clause in REQUIRED and clause not in clauses)


def standing(
    signed_on: date | None,
    valid_until: date | None,
    ended_on: date | None,
    clauses: Collection[Clause],
    today: date,
) -> Standing:
    """Return how an agreement stands on `today`; `valid_until` still holds, `ended_on` does not."""
    if ended_on is not None and today >= ended_on:
        return Standing.ENDED
    if signed_on is None or signed_on > today:
        return Standing.NOT_SIGNED
    if valid_until is not None and today > valid_until:
        return Standing.EXPIRED
    return Standing.INCOMPLETE if missing(clauses) else Standing.IN_FORCE


_WHY = {
    Standing.NOT_SIGNED: Why.NOT_SIGNED,
    Standing.INCOMPLETE: Why.INCOMPLETE,
    Standing.EXPIRED: Why.EXPIRED,
    Standing.ENDED: Why.ENDED,
}


def why_not(
    *,
    active: bool,
    may_carry: Collection[Label],
    agreements: Sequence[tuple[Standing, Collection[Clause]]],
    asked: Iterable[Label] = (),
) -> Why | None:
    """Return why a service may not carry what is `asked`, None when it may.

    `agreements` are how those of its vendor stand and what they say, newest first: one in force is
    enough, and without one the newest says why.
    """
    if not active:
        return Why.SWITCHED_OFF
    if not agreements:
        return Why.NO_AGREEMENT
    in_force = [clauses for standing, clauses in agreements if standing is Standing.IN_FORCE]
    if not in_force:
        return _WHY[agreements[0][0]]
    wanted = frozenset(asked)
    if wanted - frozenset(may_carry) or wanted & NEVER:
        return Why.CLASS
    if Special.PART2_SUD in wanted and not any(C.PART2 in clauses for clauses in in_force):
        return Why.PART2
    return None


WORDS: Mapping[Why, tuple[str, str]] = MappingProxyType(
    {
        Why.UNKNOWN: (
            "There is no such service in the vendor register.",
            "Register the service with its vendor and agreement first.",
        ),
        Why.SWITCHED_OFF: ("The service is switched off.", "Switch it on in the vendor register."),
        Why.NO_AGREEMENT: (
            "There is no agreement with the vendor of this service.",
            "Record the agreement in the vendor register.",
        ),
        Why.NOT_SIGNED: (
            "The agreement with the vendor of this service is not signed.",
            "Record when it was signed in the vendor register.",
        ),
        Why.INCOMPLETE: (
            "The agreement with the vendor of this service lacks clauses that the law asks for.",
            "The vendor register lists what is missing.",
        ),
        Why.EXPIRED: (
            "The agreement with the vendor of this service has expired.",
            "Record the renewed agreement in the vendor register.",
        ),
        Why.ENDED: (
            "The agreement with the vendor of this service was ended.",
            "Record a new agreement in the vendor register, or use another service.",
        ),
        Why.CLASS: (
            "This is more than the service may carry.",
            "Leave the field out, or let the privacy officer widen the service's scope.",
        ),
        Why.PART2: (
            "The agreement does not cover records of a substance use program.",
            "It needs the clause of a qualified service organization (42 CFR 2.11).",
        ),
    }
)
"""By reason: what is so, and what to do."""


def check_text(text: str, place: str, *, longest: int, required: bool = True) -> str:
    """Return staff's text without spaces around it; raises `BadInput` when it is empty or too long."""
    kept = text.strip()
    if required and not kept:
        raise BadInput("Write something here.", place=place)
    if len(kept) > longest:
        raise BadInput(f"Write at most {longest} characters.", place=place)
    return kept


def check_address(text: str, *, laboratory: bool) -> str:
    """Return the address of a webhook: https, or in a `laboratory` also http on loopback. Raises `BadInput`.

    User names, passwords and fragments are refused: they would be kept, and shown, beside the address.
    """
    kept = text.strip()
    try:
        parts = urlsplit(kept)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadInput("That is not a web address.", place="address") from None
    if not host or len(kept) > ADDRESS or not _ADDRESS.fullmatch(kept):
        raise BadInput("That is not a web address.", place="address")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadInput("Leave user name, password and what follows # out.", place="address")
    if parts.scheme != "https" and not (laboratory and parts.scheme == "http" and host in _LOOPBACK):
        raise BadInput("The address must begin with https://.", place="address")
    if port == 0:
        raise BadInput("That is not a web address.", place="address")
    if not laboratory and not _could_be_public(host):
        raise BadInput("The address must be one of the public internet.", place="address")
    return kept


def _could_be_public(host: str) -> bool:
    """Tell whether a host may be outside, by its name; what it leads to is looked at when a call goes out."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".") and not host.endswith((".localhost", ".local", ".internal"))


def check_labels(words: Iterable[str]) -> frozenset[Label]:
    """Return the labels that `words` name; raises `BadInput` for one that is unknown or never carried."""
    found: set[Label] = set()
    for word in words:
        label = _label(word)
        if label is None:
            raise BadInput(f"There is no PHI class {word[:40]!r}.", place="may_carry")
        if label in NEVER:
            raise BadInput("Psychotherapy notes never leave by a service.", place="may_carry")
        found.add(label)
    return frozenset(found)


def _label(word: str) -> Label | None:
    return next((each for each in (*PhiClass, *Special) if each.value == word), None)


def check_agreement(signed_on: date | None, valid_until: date | None, report_hours: int, today: date) -> None:
    """Raise `BadInput` for dates in the wrong order, a signature to come, or hours beyond the law's limit."""
    if signed_on is not None and signed_on > today:
        raise BadInput("It cannot have been signed after today.", place="signed_on")
    if signed_on is not None and valid_until is not None and valid_until < signed_on:
        raise BadInput("It cannot end before it was signed.", place="valid_until")
    if not 1 <= report_hours <= LONGEST_REPORT:
        raise BadInput("Choose between 1 hour and 1,440 hours (60 days).", place="report_hours")


def shown_secret(secret: bytes) -> str:
    """Return a signing secret as receivers take it (Standard Webhooks): "whsec_" and base64."""
    return "whsec_" + base64.b64encode(secret).decode("ascii")
