"""Pure decisions of vendors: what an agreement lacks, how it stands, whether a service may carry this."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType

from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import PhiClass, SenderRole, Special
from salus.vendors.contracts import BreachClock, Clause, Control, Kind, Label, Relation, Standing, Why

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

RELATIONS: Mapping[Relation, Asked] = MappingProxyType(
    {
        Relation.ASSOCIATE: Asked(
            "A business associate: it works for us with patients' data", "45 CFR 160.103, 164.502(e)"
        ),
        Relation.OURS: Asked("We run it ourselves: nobody outside is told anything", "45 CFR 160.103"),
        Relation.NO_PHI: Asked("It is told nothing of any patient", "45 CFR 160.103"),
    }
)
CONTROLS: Mapping[Control, Asked] = MappingProxyType(
    {
        Control.ENCRYPTION: Asked(
            "Encrypts what it keeps and what it passes on", "45 CFR 164.312(a)(2)(iv), (e)(2)(ii)"
        ),
        Control.ACCESS_CONTROL: Asked(
            "Lets in only who needs it, each under a name of their own", "45 CFR 164.312(a)(1), (a)(2)(i)"
        ),
        Control.MFA: Asked("Asks its administrators for a second factor", "45 CFR 164.312(d)"),
        Control.AUDIT: Asked("Records who did what, and somebody reads it", "45 CFR 164.312(b)"),
    }
)
"""What has to be attested of a service, in the order in which it is shown."""

REQUIRED = frozenset(clause for clause, asked in CLAUSES.items() if asked.required)
LONGEST_REPORT = 60 * 24
"""Hours: 60 days, the law's outer limit (45 CFR 164.410(b))."""
NEVER = frozenset({Special.PSYCHOTHERAPY_NOTES})
"""What no service may ever carry (45 CFR 164.508(a)(2))."""
SECRET_BYTES = 32
OLD_SECRET = timedelta(days=1)
"""How long the secret before signs along, so that a receiver can change without losing a call."""
OUTSIDE_HIPAA = frozenset({Kind.KMS, Kind.IDENTITY_PROVIDER, Kind.WITNESS, Kind.TLS_REPORTS})
"""What can work without being told anything of anybody: keys, staff, roots of the log, how TLS went."""
HOLDS_FOR = timedelta(days=366)
"""How long an attestation or a proof may hold: a year, as the proposed rule asks of verifications (90 FR 898, 164.308(b)(1))."""


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


def controls(kind: Kind) -> tuple[Control, ...]:
    """Return what has to be attested of a service of this kind: of one that is told of nobody by design, nothing."""
    return () if kind in (Kind.WITNESS, Kind.TLS_REPORTS) else tuple(CONTROLS)


def always_told(kind: Kind, role: SenderRole) -> frozenset[Label]:
    """Return what a service of this kind is told in any case, whatever a single transmission holds.

    A backup holds everything there is, so of a Part 2 program its records too; mail and text messages
    have an address; entries of the log name patients by number.
    """
    if kind is Kind.BACKUP:
        part2 = {Special.PART2_SUD} if role is SenderRole.PART2_PROGRAM else set()
        return frozenset(PhiClass) | part2
    if kind in (Kind.SMTP_ROUTE, Kind.SMS, Kind.SYSLOG):
        return frozenset({PhiClass.CONTACT})
    return frozenset()


def why_not(
    *,
    active: bool,
    relation: Relation,
    may_carry: Collection[Label],
    agreements: Sequence[tuple[Standing, Collection[Clause]]],
    unattested: Collection[Control] = (),
    asked: Iterable[Label] = (),
) -> Why | None:
    """Return why a service may not carry what is `asked`, None when it may (law.md 5: BAA, scope, configuration).

    `agreements` are how those of its vendor stand and what they say, newest first: one in force is
    enough, and without one the newest says why. Only a business associate needs one (45 CFR 164.502(e)).
    `unattested` are the controls of which no attestation holds.
    """
    if not active:
        return Why.SWITCHED_OFF
    in_force = [clauses for standing, clauses in agreements if standing is Standing.IN_FORCE]
    if relation is Relation.ASSOCIATE and not in_force:
        return _WHY[agreements[0][0]] if agreements else Why.NO_AGREEMENT
    if unattested:
        return Why.NOT_ATTESTED
    wanted = frozenset(asked)
    if wanted - frozenset(may_carry) or wanted & NEVER:
        return Why.CLASS
    qualified = relation is Relation.OURS or any(C.PART2 in clauses for clauses in in_force)
    return Why.PART2 if Special.PART2_SUD in wanted and not qualified else None


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
        Why.NOT_ATTESTED: (
            "Nobody attests at present how the service is set up: encryption, access, second factor, audit.",
            "Record the attestations that are missing in the vendor register.",
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


def check_agreement(
    signed_on: date | None,
    valid_until: date | None,
    report_hours: int,
    agent: bool,
    agency: str,
    today: date,
) -> None:
    """Raise `BadInput` for dates in the wrong order, a signature to come, or hours beyond the law's limit.

    That a vendor is no agent of ours needs somebody who signed off on it: our time for a breach hangs on it.
    """
    if not agent and not agency.strip():
        raise BadInput("Write who signed off that it is independent, and why.", place="agency")
    if signed_on is not None and signed_on > today:
        raise BadInput("It cannot have been signed after today.", place="signed_on")
    if signed_on is not None and valid_until is not None and valid_until < signed_on:
        raise BadInput("It cannot end before it was signed.", place="valid_until")
    if not 1 <= report_hours <= LONGEST_REPORT:
        raise BadInput("Choose between 1 hour and 1,440 hours (60 days).", place="report_hours")


def check_period(begins: date, ends: date, today: date, *, places: tuple[str, str]) -> None:
    """Raise `BadInput` for a look that lies in the future, or that would hold longer than a year."""
    if begins > today:
        raise BadInput("That day is still to come.", place=places[0])
    if not begins <= ends <= begins + HOLDS_FOR:
        raise BadInput("It holds for a year at most, then somebody looks again.", place=places[1])


def breach_clock(
    *, agent: bool, signed_off: bool, report_hours: int, discovered: datetime, told: datetime | None
) -> BreachClock:
    """Return the clocks of a breach that a vendor `discovered`, and told us of at `told` (None: not yet).

    What our agent discovers we have discovered (45 CFR 164.404(a)(2)); a vendor is taken for our agent
    unless somebody signed off that it is independent: then our time begins when it tells us. We have 60 days
    (164.404(b)), the vendor what the agreement says, 60 days at most (164.410(b)).
    """
    agent = agent or not signed_off
    starts = discovered if agent else told
    return BreachClock(
        starts_at=starts,
        notice_by=starts + timedelta(hours=LONGEST_REPORT) if starts else None,
        vendor_tells_by=discovered + timedelta(hours=min(report_hours, LONGEST_REPORT)),
        agent=agent,
    )


def check_proof(proof: str, seen_on: date | None, next_on: date | None, today: date) -> None:
    """Raise `BadInput` for a subcontractor's proof without its days, or days without a proof."""
    if not proof:
        if seen_on or next_on:
            raise BadInput("Write what was seen.", place="proof")
        return
    if seen_on is None:
        raise BadInput("Write when it was seen.", place="seen_on")
    if next_on is None:
        raise BadInput("Write when to look again.", place="next_on")
    check_period(seen_on, next_on, today, places=("seen_on", "next_on"))


def check_relation(relation: Relation, services: Iterable[tuple[Kind, Collection[Label]]]) -> None:
    """Raise `BadInput` where a vendor that is said to be told no PHI has a service that is told some."""
    if relation is Relation.NO_PHI and any(kind not in OUTSIDE_HIPAA or told for kind, told in services):
        raise BadInput("A service of it carries PHI, so it is a business associate.", place="relation")


def shown_secret(secret: bytes) -> str:
    """Return a signing secret as receivers take it (Standard Webhooks): "whsec_" and base64."""
    return "whsec_" + base64.b64encode(secret).decode("ascii")
