"""Turns a frozen audience into durable rows: one a person, cleared or refused with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action, NewEntry
from salus.delivery.contracts import MessageSpec, Origin, PlanCounts, Priority
from salus.delivery.models import MessageRow, OriginRow
from salus.delivery.planner import COLUMNS, Planner
from salus.delivery.rules import RANK, priority_of
from salus.delivery.sealing import read_spec, spec_document
from salus.gate import api as gate
from salus.gate.contracts import MessageFacts
from salus.identity.contracts import Organization
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict, NotFound, Reused
from salus.kernel.vocabulary import Profile, Protection
from salus.keys import api as keys
from salus.platform import bulk
from salus.platform.tenancy import current_organization
from salus.safeguards import api as safeguards

CHUNK = 1000
"""People planned in one transaction."""

_ADD = sql.SQL(
    "INSERT INTO delivery_message ({names}, reached, attempts, uncertain) SELECT {names}, 0, 0, false FROM {rows} "
    "ON CONFLICT (organization_id, origin_id, contact_number) DO NOTHING "
    "RETURNING origin_id, contact_number, id, state, reason"
)
_ORIGINS = (
    ("organization_id", "uuid"),
    ("id", "uuid"),
    ("kind", "text"),
    ("status", "text"),
    ("is_open", "bool"),
    ("spec", "bytea"),
    ("priority", "int2"),
    ("is_capped", "bool"),
    ("not_before", "timestamptz"),
    ("created_at", "timestamptz"),
)
_BEGIN = sql.SQL(
    "INSERT INTO delivery_origin ({names}) SELECT {names} FROM {rows} ON CONFLICT DO NOTHING RETURNING id"
)


def begin(spec: MessageSpec, *, actor: Actor, at: datetime) -> None:
    """Start planning a sending; started before with the same specification, it just goes on.

    Raises `Conflict` when the origin was planned with another specification.
    """
    row = begun([(spec, OriginRow(status=OriginRow.PLANNING))], actor=actor, at=at)[spec.origin.id]
    if row.is_open or read(row) != spec:
        raise other_content()


def other_content() -> Reused:
    """Return what a sending says that exists already with another specification."""
    return Reused("This sending was planned with other content.", next_step="Plan a new one.")


def begun(
    sendings: Iterable[tuple[MessageSpec, OriginRow]], *, actor: Actor, at: datetime
) -> dict[UUID, OriginRow]:
    """Return the row of each sending as it is, by its id; where there is none, it begins as the given row says.

    A given row that is returned is new: nobody else sees it until this transaction ends.
    """
    wanted = {spec.origin.id: (spec, row) for spec, row in sendings}
    found = {row.id: row for row in OriginRow.objects.filter(id__in=list(wanted))}
    new = {id: wanted[id] for id in sorted(wanted.keys() - found.keys())}
    if not new:
        return found
    sealer = keys.sealer()
    for id, (spec, row) in new.items():
        row.id, row.kind, row.priority = id, spec.origin.kind, RANK[spec.priority]
        row.is_capped = priority_of(spec.facts) is not Priority.TRANSACTIONAL
        row.spec, row.created_at = sealer.seal(spec_document(spec), _binding(id)), at
    written = [[getattr(row, name) for name, _ in _ORIGINS] for _, row in new.values()]
    rows, parameters = bulk.given(_ORIGINS, written)
    ours = {id for (id,) in bulk.read(_BEGIN.format(names=_names(_ORIGINS), rows=rows), parameters)}
    if theirs := new.keys() - ours:  # two may begin one at once
        found |= {row.id: row for row in OriginRow.objects.filter(id__in=list(theirs))}
    audit.record_many([_started(new[id][0], actor) for id in new if id in ours])
    return found | {id: new[id][1] for id in ours}


def _started(spec: MessageSpec, actor: Actor) -> NewEntry:
    return NewEntry(
        Action.MESSAGE_PLAN,
        actor,
        object_kind=spec.origin.kind,
        object_id=spec.origin.id,
        purpose=spec.facts.purpose,
        outcome="started",
    )


def spec_of(origin: Origin) -> MessageSpec:
    """Return the specification of a sending; raises `NotFound`."""
    row = OriginRow.objects.filter(id=origin.id).first()
    if row is None:
        raise NotFound
    return read(row)


def read(row: OriginRow) -> MessageSpec:
    """Return the specification that a sending was begun with."""
    return read_spec(keys.sealer().open(bytes(row.spec), _binding(row.id)))


def _binding(origin_id: UUID) -> bytes:
    return keys.binding(current_organization(), "delivery_origin", origin_id)


def plan_chunk(origin: Origin, numbers: Sequence[int], *, actor: Actor, at: datetime) -> int:
    """Decide for the people with these numbers (at most `CHUNK`) and write one row for each; return how many had none.

    People who have a row keep it: run twice, by two at once, or killed in the middle, nothing doubles.
    Raises `Conflict` when somebody is not there any more.
    """
    known = set(
        MessageRow.objects.filter(origin_id=origin.id, contact_number__in=numbers).values_list(
            "contact_number", flat=True
        )
    )
    new = [number for number in numbers if number not in known]
    gone = (
        add([Adding(Planner(spec_of(origin), at, safeguards.policy()), new)], actor=actor, at=at).gone
        if new
        else set()
    )
    if gone:
        raise Conflict(
            f"{len(gone)} people of this audience are not there any more.",
            next_step="Freeze the segment again.",
        )
    return len(new)


@dataclass(frozen=True, slots=True)
class Adding:
    """Whom to write to in one sending. With `stopped` whoever would be cleared is refused for this reason."""

    planner: Planner
    numbers: Sequence[int]
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """The people who are gone, by sending and number, and the rows that were written: (sending, number, id, state, reason)."""

    gone: set[tuple[UUID, int]]
    rows: list[tuple[Any, ...]]


def add(sendings: Sequence[Adding], *, actor: Actor, at: datetime) -> Added:
    """Write one row for each person of each sending; whoever has one keeps it.

    Sendings that tell the same are decided together.
    """
    rows: list[tuple[object, ...]] = []
    gone: set[tuple[UUID, int]] = set()
    for (facts, fields), alike in _alike(sendings).items():
        numbers = sorted({number for each in alike for number in each.numbers})
        decided = {
            clearance.contact_number: (clearance, opened)
            for clearance, opened in gate.assemble_and_clear(facts, numbers, fields, at, actor)
        }
        wishes = safeguards.wishes([clearance.contact_id for clearance, _ in decided.values()])
        for each in alike:
            here = [decided[number] for number in each.numbers if number in decided]
            rows += each.planner.rows(here, each.stopped, wishes)
            gone |= {
                (each.planner.spec.origin.id, number) for number in each.numbers if number not in decided
            }
    if not rows:
        return Added(gone, [])
    given, parameters = bulk.given(COLUMNS, rows)
    return Added(gone, bulk.read(_ADD.format(names=_names(COLUMNS), rows=given), parameters))


def _names(columns: Sequence[tuple[str, str]]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)


def _alike(sendings: Sequence[Adding]) -> dict[tuple[MessageFacts, tuple[str, ...]], list[Adding]]:
    """Return the sendings about which the gate is asked the same."""
    found: dict[tuple[MessageFacts, tuple[str, ...]], list[Adding]] = {}
    for each in sendings:
        found.setdefault((each.planner.spec.facts, each.planner.fields), []).append(each)
    return found


def facts_now(planned: MessageFacts, organization: Organization) -> MessageFacts:
    """Return what the gate must know of a planned message now: of two profiles, the stricter one holds."""
    strict = Profile.STRICT in {planned.profile, organization.profile}
    return replace(
        planned,
        sender_role=organization.sender_role,
        profile=Profile.STRICT if strict else organization.profile,
    )


def finish(origin: Origin, *, actor: Actor) -> PlanCounts:
    """End planning and return what it found; the sum is checked."""
    counts = plan_counts(origin)
    updated = OriginRow.objects.filter(id=origin.id, status=OriginRow.PLANNING).update(
        status=OriginRow.PLANNED, planned=counts.planned
    )
    if updated:
        audit.record(
            Action.MESSAGE_PLAN,
            actor=actor,
            object_kind=origin.kind,
            object_id=origin.id,
            outcome="planned",
            details={"planned": counts.planned, "cleared": counts.cleared},
        )
    return counts


def plan_counts(origin: Origin) -> PlanCounts:
    """Return how many may receive it and how many not, by reason, by rule and by protection floor."""
    found = bulk.execute(
        sql.SQL(
            "SELECT state = 'refused', reason, rule, floor, count(*) FROM delivery_message "
            "WHERE origin_id = %s GROUP BY 1, 2, 3, 4"
        ),
        [origin.id],
    )
    refused: Counter[str] = Counter()
    by_rule: Counter[str] = Counter()
    by_floor: Counter[str] = Counter()
    for was_refused, reason, rule, floor, count in found:
        if was_refused:
            refused[reason] += count
        else:
            by_rule[rule] += count
            by_floor[Protection(floor).name.lower()] += count
    cleared = sum(by_rule.values())
    return PlanCounts(cleared + sum(refused.values()), cleared, dict(refused), dict(by_rule), dict(by_floor))
