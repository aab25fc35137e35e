"""The access review: who signed in and who looked at whom in a period, what stands out, and who signed for it.

45 CFR 164.308(a)(1)(ii)(D): regularly review records of information system activity.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from salus.audit import api as audit
from salus.audit.contracts import Action, Activity, Repeated
from salus.identity import api as identity
from salus.identity.contracts import Finding, Permission
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform.tenancy import current_organization
from salus.reports import access_rules as rules
from salus.reports.access_rules import Counts, Why
from salus.reports.models import AccessReviewRow

SHORTEST, LONGEST = 15, 1_000
"""Characters of a note."""
REPEATS, SIGNATURES = 50, 24


@dataclass(frozen=True, slots=True)
class Looker:
    """One person or key, what they did, and why they stand out."""

    name: str
    is_key: bool
    activity: Activity
    reasons: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """One review that somebody signed; both days are included."""

    since: date
    until: date
    signed_by: str
    signed_at: datetime
    finding: Finding
    note: Phi[str]
    entries: int
    outliers: int


@dataclass(frozen=True, slots=True)
class Review:
    """A period as its reviewer sees it; both days are included."""

    since: date
    until: date
    lookers: tuple[Looker, ...]
    repeated: tuple[tuple[str, Repeated], ...]
    entries: int
    over: bool
    """Whether the period has ended: only then can it be signed for."""
    has_own: bool
    """Whether the reviewer is among those who looked."""
    signatures: tuple[Signature, ...]
    unsigned: tuple[tuple[date, date], ...]
    """The days of the last month that nobody has signed for."""

    @property
    def outliers(self) -> int:
        """Return how many stand out."""
        return sum(bool(each.reasons) for each in self.lookers)


def usual_period(at: datetime) -> tuple[date, date]:
    """Return the period that a review starts with: the seven days before today."""
    today = at.astimezone(_zone()).date()
    return today - timedelta(days=7), today - timedelta(days=1)


def review(since: date, until: date, *, actor: Actor, at: datetime) -> Review:
    """Return what happened from `since` to `until`, both included; the look is recorded.

    Raises `NotFound` for whoever may not, `BadInput` with the place for a period that is none.
    """
    identity.require(actor, Permission.AUDIT_ACCESS_REVIEW)
    found = _gather(since, until, actor, at)
    audit.record(
        Action.ACCESS_READ,
        actor=actor,
        object_kind="access",
        details={"since": since.isoformat(), "until": until.isoformat(), "entries": found.entries},
    )
    return found


def sign(since: date, until: date, finding: str, note: str, *, actor: Actor, at: datetime) -> UUID:
    """Sign that the records of a period were examined; return the id of the review.

    What was followed up, and outliers that are as they should be, need a note. The entry in the log holds
    the numbers and the log's size and root, so that nobody can say later that something else was examined.
    Raises as `review` does, `BadInput` for a finding or a note, `Conflict` while the period goes on.
    """
    identity.require(actor, Permission.AUDIT_ACCESS_REVIEW)
    found = _gather(since, until, actor, at)
    if not found.over:
        raise Conflict("This period goes on.", next_step="Sign when its last day is over.")
    if finding not in set(Finding):
        raise BadInput("Say what you found.", place="finding")
    said = note.strip()
    if (finding == Finding.FOLLOWED_UP or found.outliers or said) and not SHORTEST <= len(said) <= LONGEST:
        raise BadInput(f"Write what you looked into: {SHORTEST} to {LONGEST} characters.", place="note")
    row = AccessReviewRow(id=new_id(), since=since, until=until, signed_at=at, finding=finding)
    assert actor.id is not None
    row.signed_by, row.entries, row.outliers = actor.id, found.entries, found.outliers
    row.sealed = keys.sealer().seal(said.encode(), _binding(row.id))
    row.save(force_insert=True)
    signed = audit.newest_checkpoint()
    audit.record(
        Action.ACCESS_REVIEW,
        actor=actor,
        object_kind="access",
        object_id=row.id,
        outcome=finding,
        details={
            "since": since.isoformat(),
            "until": until.isoformat(),
            "entries": found.entries,
            "people": len(found.lookers),
            "outliers": found.outliers,
            "log_size": signed.size if signed else 0,
            "log_root": signed.root.hex() if signed else "",
        },
    )
    return row.id


def _gather(since: date, until: date, actor: Actor, at: datetime) -> Review:
    if until < since:
        raise BadInput("The last day is before the first.", place="until")
    if (until - since).days >= rules.LONGEST:
        raise BadInput("Look at a year at most.", place="since")
    zone = _zone()
    begins, ends = (
        datetime.combine(since, time.min, zone),
        datetime.combine(until + timedelta(days=1), time.min, zone),
    )
    found = audit.activity(begins, ends, zone=zone.key, day=rules.DAY)
    repeated = audit.repeated_looks(begins, ends, often=rules.OFTEN, most=REPEATS)
    names = identity.staff_names({each.actor_id for each in found})
    keys_ = {key.id: key.name for key in identity.api_keys_of_organization()}
    often = Counter(each.actor_id for each in repeated)
    return Review(
        since,
        until,
        lookers=tuple(
            _looker(
                each, names.get(each.actor_id) or keys_.get(each.actor_id, ""), found, often[each.actor_id]
            )
            for each in found
        ),
        repeated=tuple((names.get(each.actor_id, ""), each) for each in repeated),
        entries=sum(each.entries for each in found),
        over=ends <= at,
        has_own=any(each.actor_id == actor.id and each.looks for each in found),
        signatures=_signatures(),
        unsigned=_unsigned(at.astimezone(zone).date()),
    )


def _looker(one: Activity, name: str, everybody: tuple[Activity, ...], repeats: int) -> Looker:
    counts = Counts(
        looks=one.looks,
        patients=one.patients,
        at_odd_hours=one.at_odd_hours,
        exports=one.exports,
        failed_sign_ins=one.failed_sign_ins,
        lock_outs=one.lock_outs,
        networks=one.networks,
        refusals=one.refusals,
        repeats=repeats,
    )
    usually = rules.usual(each.patients for each in everybody if each.actor_id != one.actor_id)
    return Looker(name, one.actor_kind == ActorKind.API_KEY, one, rules.stands_out(counts, usually))


def _signatures() -> tuple[Signature, ...]:
    rows = list(AccessReviewRow.objects.order_by("-signed_at", "-id")[:SIGNATURES])
    names = identity.staff_names({row.signed_by for row in rows})
    sealer = keys.sealer()
    return tuple(
        Signature(
            since=row.since,
            until=row.until,
            signed_by=names.get(row.signed_by, ""),
            signed_at=row.signed_at,
            finding=Finding(row.finding),
            note=Phi(sealer.open(bytes(row.sealed), _binding(row.id)).decode()),
            entries=row.entries,
            outliers=row.outliers,
        )
        for row in rows
    )


def _unsigned(today: date) -> tuple[tuple[date, date], ...]:
    first, last = today - timedelta(days=rules.SIGN_EVERY), today - timedelta(days=1)
    signed = AccessReviewRow.objects.filter(until__gte=first).values_list("since", "until")
    return rules.unsigned(list(signed), first, last)


def signed_until() -> date | None:
    """Return the last day that somebody signed for."""
    found = AccessReviewRow.objects.order_by("-until").values_list("until", flat=True).first()
    return None if found is None else date.fromisoformat(str(found))


def _zone() -> ZoneInfo:
    return ZoneInfo(identity.organization().time_zone)


def _binding(id: UUID) -> bytes:
    return keys.binding(current_organization(), "reports_accessreview", id)
