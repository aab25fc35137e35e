"""Turns a frozen audience into durable rows: one a person, cleared or refused with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action, NewEntry
from salus.contacts.contracts import Opened
from salus.content import api as content
from salus.delivery import guarding
from salus.delivery.contracts import MessageSpec, Origin, PlanCounts, Priority, State
from salus.delivery.models import MessageRow, OriginRow
from salus.delivery.rules import RANK, priority_of
from salus.delivery.sealing import (
    CHOICES,
    TOKEN_LIFETIME,
    TRACK,
    Content,
    decision_document,
    message_binding,
    read_spec,
    seal_content,
    spec_document,
)
from salus.delivery.written import Words
from salus.gate import api as gate
from salus.gate.contracts import Clearance, MessageFacts
from salus.identity.contracts import Organization
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound, Reused
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel, Profile, Protection
from salus.keys import api as keys
from salus.platform import bulk
from salus.platform.tenancy import current_organization
from salus.safeguards import api as safeguards
from salus.safeguards.contracts import Policy

CHUNK = 1000
"""People planned in one transaction."""

SHARED_BY = 20
"""A domain that fewer people of a chunk share could name its owner, so the queue holds its blind index."""

_COLUMNS = (
    ("organization_id", "uuid"),
    ("id", "uuid"),
    ("origin_id", "uuid"),
    ("contact_id", "uuid"),
    ("contact_number", "int8"),
    ("state", "text"),
    ("reason", "text"),
    ("rule", "text"),
    ("floor", "int2"),
    ("contact_version", "int8"),
    ("standing_version", "int8"),
    ("valid_until", "timestamptz"),
    ("version_id", "uuid"),
    ("language", "text"),
    ("site", "text"),
    ("sealed", "bytea"),
    ("decided_at", "timestamptz"),
    ("changed_at", "timestamptz"),
)
_DEFAULTS = sql.SQL("reached, attempts, uncertain")


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
    """Return the row of each sending as it is, by its id; where there is none, it begins as the given row says."""
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
    OriginRow.objects.bulk_create([row for _, row in new.values()], ignore_conflicts=True)
    stored = {row.id: row for row in OriginRow.objects.filter(id__in=list(new))}
    ours = [spec for id, (spec, row) in new.items() if bytes(stored[id].spec) == row.spec]
    audit.record_many([_started(spec, actor) for spec in ours])  # two may begin one at once
    return found | stored


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


def plan_chunk(origin: Origin, numbers: Sequence[int], *, actor: Actor, at: datetime) -> None:
    """Decide for the people with these numbers (at most `CHUNK`) and write one row for each.

    People who have a row keep it: run twice, or killed in the middle, nothing doubles. Raises
    `Conflict` when somebody is not there any more.
    """
    known = set(
        MessageRow.objects.filter(origin_id=origin.id, contact_number__in=numbers).values_list(
            "contact_number", flat=True
        )
    )
    new = [number for number in numbers if number not in known]
    gone = (
        add([Adding(Planner(spec_of(origin), at, safeguards.policy()), new)], actor=actor, at=at)
        if new
        else set()
    )
    if gone:
        raise Conflict(
            f"{len(gone)} people of this audience are not there any more.",
            next_step="Freeze the segment again.",
        )


@dataclass(frozen=True, slots=True)
class Adding:
    """Whom to write to in one sending. With `stopped` whoever would be cleared is refused for this reason."""

    planner: Planner
    numbers: Sequence[int]
    stopped: str = ""


def add(sendings: Sequence[Adding], *, actor: Actor, at: datetime) -> set[tuple[UUID, int]]:
    """Write one row for each person of each sending; whoever has one keeps it.

    Sendings that tell the same are decided together. Returns (sending, number) of the people who are gone.
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
        return gone
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in _COLUMNS)
    table = bulk.copy_rows(_COLUMNS, rows)
    bulk.execute(
        sql.SQL(
            "INSERT INTO delivery_message ({names}, {defaults}) SELECT {names}, 0, 0, false FROM {table} "
            "ON CONFLICT (organization_id, origin_id, contact_number) DO NOTHING"
        ).format(names=names, defaults=_DEFAULTS, table=table)
    )
    return gone


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


class Planner:
    """What is the same for every person of a sending, looked up once; `policy` is the protection policy in force."""

    def __init__(self, spec: MessageSpec, at: datetime, policy: Policy, words: Words | None = None) -> None:
        if not spec.versions and words is None:
            raise BadInput("A sending needs a template version.", place="versions")
        if spec.facts.channel is Channel.SMS:
            raise BadInput(
                "Text messages cannot be sent yet.", place="channel", next_step="Choose e-mail or portal."
            )
        self.spec, self._at, self._words = spec, at, words
        self._organization = current_organization()
        self._sealer, self._blinder = keys.sealer(), keys.blinder()
        self._versions = {language: content.version(id) for language, id in spec.versions.items()}
        self._values = {
            language: content.values_maker(version, at) for language, version in self._versions.items()
        }
        subjects = {language: version.subject for language, version in self._versions.items()}
        self._guard = guarding.Guard(spec, subjects if words is None else {"": words.subject}, policy)
        fields = {field for version in self._versions.values() for field in content.merge_fields(version)}
        self.fields = (*sorted(fields | {"language"}),)

    def rows(
        self,
        decided: Sequence[tuple[Clearance, Opened]],
        stopped: str,
        wishes: Mapping[UUID, Protection],
    ) -> list[tuple[object, ...]]:
        """Return a row for each person, in the order of `_COLUMNS`; `stopped` refuses who was cleared.

        `wishes` are those of these people who ask for more protection than the law does.
        """
        domains = Counter(_domain(clearance) for clearance, _ in decided)
        return [
            self._row(
                clearance,
                opened,
                domains,
                clearance.decision.reason or stopped,
                wishes.get(clearance.contact_id),
            )
            for clearance, opened in decided
        ]

    def _row(
        self,
        clearance: Clearance,
        opened: Opened,
        domains: Mapping[str, int],
        refused: str,
        wish: Protection | None,
    ) -> tuple[object, ...]:
        decision = clearance.decision
        message_id = new_id()
        language = self._language(opened)
        domain = _domain(clearance)
        floor, why = self._guard.floor(decision, domain, "" if self._words else language, wish)
        sealed = self._seal(message_id, clearance, opened, language, why, allowed=not refused)
        return (
            self._organization,
            message_id,
            self.spec.origin.id,
            clearance.contact_id,
            clearance.contact_number,
            State.REFUSED if refused else State.CLEARED,
            refused,
            decision.rule_ids[0] if decision.rule_ids else "",
            int(floor),
            clearance.contact_version,
            clearance.standing_version,
            decision.valid_until,
            self.spec.versions.get(language),
            language,
            self._site(domain, domains[domain]),
            sealed,
            self._at,
            self._at,
        )

    def rebind(self, row: MessageRow, clearance: Clearance, opened: Opened, wish: Protection | None) -> None:
        """Bind an unsent row to a new clearance: its versions, its address, its values, its protection."""
        decision, language = clearance.decision, self._language(opened)
        floor, why = self._guard.floor(decision, _domain(clearance), "" if self._words else language, wish)
        row.contact_version, row.standing_version = clearance.contact_version, clearance.standing_version
        row.valid_until, row.floor, row.decided_at = decision.valid_until, int(floor), self._at
        row.rule = decision.rule_ids[0] if decision.rule_ids else ""
        row.language, row.version_id = language, self.spec.versions.get(language)
        row.sealed = self._seal(row.id, clearance, opened, language, why, allowed=True)

    def _seal(
        self,
        message_id: UUID,
        clearance: Clearance,
        opened: Opened,
        language: str,
        why: Mapping[str, Any],
        *,
        allowed: bool,
    ) -> bytes:
        """Return the sealed content of a row; a refused one keeps the decision and no values."""
        address = clearance.address
        values: Mapping[str, object] = {}
        tokens: dict[str, str] = {}
        to = ""
        if allowed:
            to = address.value.reveal() if address else ""  # none in the portal
            values = self._words.values() if self._words else self._values[language](opened)
            tokens = {
                purpose: keys.seal_token(purpose, message_id.bytes, lifetime=TOKEN_LIFETIME)
                for purpose in ((CHOICES,) if self._words else (TRACK, CHOICES))
            }
        decided = decision_document(clearance.decision) | {guarding.PROTECTION: why}
        document = Content(to, values, tokens, decided)
        return seal_content(self._sealer, message_binding(self._organization, message_id), document)

    def _language(self, opened: Opened) -> str:
        """Return the person's language when there is a version in it, else English, else the first.

        What stands around words of their own is in the person's language when Salus writes it.
        """
        preferred = opened.values.get("language")
        wanted = (str(preferred.reveal()) if preferred else "")[:2].lower()
        offered = content.LANGUAGES if self._words else self.spec.versions
        for language in (wanted, "en"):
            if language in offered:
                return language
        return next(iter(self.spec.versions))

    def _site(self, domain: str, sharing: int) -> str:
        if not domain or sharing >= SHARED_BY:
            return domain
        return self._blinder.blind("domain", domain).hex()


def _domain(clearance: Clearance) -> str:
    address = clearance.address
    return address.value.reveal().rpartition("@")[2].lower() if address else ""
