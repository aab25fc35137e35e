"""From leased ids to bytes on hand: check again, open, render, sign. Nothing leaves from here."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from salus.contacts import api as contacts
from salus.content import api as content
from salus.content.api import Compiled
from salus.delivery import deposits, guarding, leasing, planning, ports
from salus.delivery.codes import ANNOUNCEMENTS, CODE, NOTICE, Parts, code_parts
from salus.delivery.contracts import MessageSpec, Origin, State
from salus.delivery.leasing import Lease
from salus.delivery.links import Links, links
from salus.delivery.models import MessageRow, OriginRow
from salus.delivery.planner import Planner
from salus.delivery.rules import CANCELLED_BY_STAFF, PERSON_IS_GONE, Bound, Check, Present, check
from salus.delivery.sealing import (
    Content,
    decision_document,
    message_binding,
    open_content,
    seal_content,
)
from salus.delivery.written import renderer, words_of
from salus.gate import api as gate
from salus.gate.contracts import Clearance, MessageFacts
from salus.identity import api as identity
from salus.identity.contracts import Organization
from salus.kernel.acting import Actor
from salus.kernel.errors import SalusError
from salus.kernel.vocabulary import Channel, Protection, Special
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.platform import bulk
from salus.platform.tenancy import current_organization
from salus.safeguards import api as safeguards
from salus.sealedmail.contracts import Recipient, SigningKeys

log = logging.getLogger(__name__)

_SPECIALS = frozenset(Special) - {Special.SENSITIVE_DEMOGRAPHIC}
_REBOUND = (
    "sealed",
    "contact_version",
    "standing_version",
    "valid_until",
    "floor",
    "decided_at",
    "rule",
    "language",
    "version_id",
)

# One stretch of the primary key each; the policy keeps every statement within the organization.
_NAMES = [field.attname for field in MessageRow._meta.concrete_fields]  # noqa: SLF001 - Django's public API of models
_ROWS = sql.SQL("SELECT {} FROM delivery_message WHERE id = ANY(%s)").format(
    sql.SQL(", ").join(map(sql.Identifier, _NAMES))
)
_BOUND = sql.SQL(
    "SELECT id, contact_id, contact_version, standing_version, valid_until FROM delivery_message "
    "WHERE id = ANY(%s) AND state = 'leased'"
)
_TO_LEASED = sql.SQL(
    "UPDATE delivery_message SET state = 'leased', changed_at = %s WHERE id = ANY(%s::uuid[])"
)

LEASABLE = (State.CLEARED, State.DEFERRED, State.LEASED)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message that a sender may hand over now; the parts are made by `render`, without the database."""

    lease: Lease
    contact_id: UUID
    origin: Origin
    channel: Channel
    floor: Protection
    special: bool
    language: str
    version_id: UUID | None
    attempts: int
    first_attempt_at: datetime
    decided_at: datetime
    uncertain: bool
    checked_at: datetime
    is_capped: bool
    """It counts for the frequency cap once it is handed over."""
    content: Content = field(repr=False)
    parts: Parts = field(repr=False)
    links: Links = field(repr=False)
    reader: Recipient | None = field(default=None, repr=False)
    """The key of its reader, where one is on file and may be used."""
    signing: SigningKeys | None = field(default=None, repr=False)
    kept_from_relay: str = ""
    """Why the organization's relay may not carry it (a code of the vendor register)."""
    relay: Mapping[str, str] = field(default_factory=dict)
    """By which relay it goes instead, because its destination refuses ours: name, service's id."""

    @property
    def is_letter(self) -> bool:
        """Return whether this is what the person is written to for, not a notice or a sign-in code."""
        return self.origin.kind not in ANNOUNCEMENTS

    @property
    def notice_for(self) -> UUID | None:
        """Return the deposit that this message announces, None when it is no notice."""
        return _parent(self.content)


@dataclass(frozen=True, slots=True)
class Stopped:
    """A message that the second check stopped, with the reason; "" when there is nothing to stop."""

    lease: Lease
    reason: str
    notice_for: UUID | None = None


@dataclass(slots=True)
class Batch:
    """What became of a batch of leases of one organization."""

    organization: Organization
    prepared: list[Prepared] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)

    def message_ids(self) -> set[UUID]:
        """Return whose batch this is."""
        prepared = {each.lease.message_id for each in self.prepared}
        return prepared | {each.lease.message_id for each in self.stopped}

    def take(self, made: Prepared | Stopped) -> None:
        """Put what became of one lease where it belongs."""
        if isinstance(made, Prepared):
            self.prepared.append(made)
        else:
            self.stopped.append(made)


CANNOT_BE_MADE = "cannot_be_made"
"""A message could not be rendered or built: it is stopped with this reason, and nobody else waits for it."""


def prepare(leases: Sequence[Lease], *, actor: Actor, at: datetime) -> Batch:
    """Check every lease against the present, and make ready what may still go.

    Runs inside the organization's context. Rows that the check stopped are returned for their
    outcome to be recorded; rows that are not leasable any more are dropped from the queue there.
    """
    batch = Batch(identity.organization())
    rows = {row.id: row for row in rows_of([each.message_id for each in leases])}
    _flag_uncertain(leases, rows)
    keeper = _Keeper(batch.organization, actor, at)
    still, stopped = keeper.recheck([rows[each.message_id] for each in leases if each.message_id in rows])
    for each in leases:
        row = rows.get(each.message_id)
        if row is None or row.state not in LEASABLE:
            batch.stopped.append(Stopped(each, ""))
        elif row.id in stopped:
            batch.stopped.append(Stopped(each, stopped[row.id], keeper.notice_for(row)))
        else:
            batch.take(keeper.ready(each, row, still[row.id]))
    bulk.read(_TO_LEASED, [at, [each.lease.message_id for each in batch.prepared]])
    return batch


def rows_of(message_ids: Sequence[UUID]) -> list[MessageRow]:
    """Return the rows of these messages, as the database has them."""
    return [MessageRow.from_db("default", _NAMES, row) for row in bulk.read(_ROWS, [list(message_ids)])]


def still_standing(message_ids: Sequence[UUID], at: datetime) -> set[UUID]:
    """Return those of the leased messages about which nothing changed since they were checked."""
    bound = {
        id: (contact_id, Bound(*rest)) for id, contact_id, *rest in bulk.read(_BOUND, [list(message_ids)])
    }
    present = _present([contact_id for contact_id, _ in bound.values()], at)
    return {
        id
        for id, (contact_id, clearance) in bound.items()
        if check(clearance, present[contact_id]) is Check.STILL_GOOD
    }


def make_again(row: MessageRow, *, actor: Actor, at: datetime) -> Prepared:
    """Return a message as it was made ready at `at`, from what its row keeps; nothing is checked or leased.

    Raises `SalusError` when it cannot be made any more.
    """
    opened = open_content(keys.sealer(), message_binding(current_organization(), row.id), row.sealed)
    lease = Lease(row.id, current_organization(), 0, False, row.site, 0)
    return _Keeper(identity.organization(), actor, at).made(lease, row, opened)


def _parent(content: Content) -> UUID | None:
    parent = content.decision.get(deposits.PARENT)
    return UUID(parent) if parent else None


def _flag_uncertain(leases: Sequence[Lease], rows: Mapping[UUID, MessageRow]) -> None:
    """Flag what a dead sender had begun, and only then take its mark away."""
    begun = [each for each in leases if each.was_begun and each.message_id in rows]
    if not begun:
        return
    MessageRow.objects.filter(id__in=[each.message_id for each in begun]).update(uncertain=True)
    for each in begun:
        rows[each.message_id].uncertain = True
    leasing.forget_begun(begun)


def _present(contact_ids: Sequence[UUID], at: datetime) -> dict[UUID, Present]:
    people, standings = contacts.versions(contact_ids), permissions.versions(contact_ids)
    return {id: Present(people.get(id), standings.get(id, 0), at) for id in contact_ids}


def _check(row: MessageRow, present: Present) -> Check:
    return check(Bound(row.contact_version, row.standing_version, row.valid_until), present)


@dataclass(frozen=True, slots=True)
class _Sending:
    """What all messages of a sending have in common, as the organization is now."""

    origin: Origin
    spec: MessageSpec
    facts_now: MessageFacts
    is_cancelled: bool
    announces: bool
    """It is a notice or a sign-in code, to which policies and wishes do not apply."""
    is_capped: bool

    def is_outdated(self, decision: Mapping[str, Any], policy: int, wish: Protection | None) -> bool:
        """Return whether rules, policy, wish, or what the organization is and chose are others than when it was cleared."""
        return (
            decision["version"] != gate.RULES_VERSION
            or decision["profile"] != self.facts_now.profile
            or self.spec.facts.sender_role is not self.facts_now.sender_role
            or (not self.announces and guarding.is_outdated(decision, policy, wish))
        )


class _Keeper:
    """What is the same for a batch, looked up once; re-checks, renders."""

    def __init__(self, organization: Organization, actor: Actor, at: datetime) -> None:
        self._organization, self._actor, self._at = organization, actor, at
        self._id = current_organization()
        self._sealer = keys.sealer()
        self._sendings: dict[UUID, _Sending] = {}
        self._renderers: dict[tuple[UUID, tuple[str, ...]], Compiled] = {}
        self._pages = ports.pages()

    def recheck(self, rows: Sequence[MessageRow]) -> tuple[dict[UUID, Content], dict[UUID, str]]:
        """Return the content of what may go and the reason of what may not, by message id."""
        rows = [row for row in rows if row.state in LEASABLE]
        # What was with a sender while its sending was cancelled, and came back to be tried again.
        stopped = {row.id: CANCELLED_BY_STAFF for row in rows if self._sending(row).is_cancelled}
        rows = [row for row in rows if row.id not in stopped] if stopped else rows
        present = _present([row.contact_id for row in rows], self._at)
        wishes, policy = safeguards.wishes([row.contact_id for row in rows]), safeguards.number()
        still = {row.id: self._open(row) for row in rows}
        again = [
            row
            for row in rows
            if _check(row, present[row.contact_id]) is Check.ASK_AGAIN
            or self._sending(row).is_outdated(still[row.id].decision, policy, wishes.get(row.contact_id))
        ]
        if again:
            refused = self._decide_again(again, wishes)
            still |= {row.id: self._open(row) for row in again}
            still = {id: content for id, content in still.items() if id not in refused}
            stopped |= refused
        return still, stopped

    def _open(self, row: MessageRow) -> Content:
        return open_content(self._sealer, message_binding(self._id, row.id), row.sealed)

    def _decide_again(self, rows: Sequence[MessageRow], wishes: Mapping[UUID, Protection]) -> dict[UUID, str]:
        """Ask the gate anew, about facts of now; bind the row to the new answer, or stop it."""
        stopped: dict[UUID, str] = {}
        policy = safeguards.policy()
        for origin_id in {row.origin_id for row in rows}:
            mine = {row.contact_number: row for row in rows if row.origin_id == origin_id}
            spec = self._sendings[origin_id].spec
            spec = replace(spec, facts=planning.facts_now(spec.facts, self._organization))
            planner = Planner(spec, self._at, policy) if spec.versions else None
            fields = planner.fields if planner else ("language",)
            decided = gate.assemble_and_clear(spec.facts, sorted(mine), fields, self._at, self._actor)
            for clearance, opened in decided:
                row = mine.pop(clearance.contact_number)
                wish = wishes.get(row.contact_id)
                if not clearance.decision.allowed:
                    stopped[row.id] = str(clearance.decision.reason)
                    continue
                if self._has_own_words(row):
                    words = words_of(self._open(row).values)
                    Planner(spec, self._at, policy, words).rebind(row, clearance, opened, wish)
                elif row.version_id is None or planner is None:
                    self._readdress(row, clearance)
                else:
                    planner.rebind(row, clearance, opened, wish)
                row.save(update_fields=_REBOUND)
            stopped |= {row.id: PERSON_IS_GONE for row in mine.values()}
        return stopped

    def _has_own_words(self, row: MessageRow) -> bool:
        """Return whether a row keeps its words itself: it has no template, and announces nothing."""
        return row.version_id is None and not self._sending(row).announces

    def _readdress(self, row: MessageRow, clearance: Clearance) -> None:
        """Bind a notice or a code, which says nothing of the person, to the person's present address."""
        binding = message_binding(self._id, row.id)
        content = open_content(self._sealer, binding, row.sealed)
        decided = deposits.about_nobody(decision_document(clearance.decision))
        if parent := _parent(content):
            decided[deposits.PARENT] = str(parent)
        to = clearance.address.value.reveal() if clearance.address else content.to
        content = replace(content, to=to, decision=decided)
        row.sealed = seal_content(self._sealer, binding, content)
        row.contact_version, row.standing_version = clearance.contact_version, clearance.standing_version
        row.valid_until = clearance.decision.valid_until

    def notice_for(self, row: MessageRow) -> UUID | None:
        """Return the deposit that a row announces, None when it is no notice."""
        if self._sending(row).origin.kind != NOTICE:
            return None
        return _parent(open_content(self._sealer, message_binding(self._id, row.id), row.sealed))

    def ready(self, lease: Lease, row: MessageRow, opened: Content) -> Prepared | Stopped:
        """Return the message, rendered; one that cannot be rendered is stopped."""
        try:
            return self.made(lease, row, opened)
        except SalusError as fault:
            log.warning("message %s cannot be made: %s", row.id, fault)
            return Stopped(lease, CANNOT_BE_MADE, self.notice_for(row))

    def made(self, lease: Lease, row: MessageRow, opened: Content) -> Prepared:
        """Return the message, rendered; raises `SalusError`."""
        sending = self._sending(row)
        compiled, values = self._compiled(row, sending, opened)
        made = links(opened.tokens, [link.key for link in compiled.links] if compiled else (), self._pages)
        return Prepared(
            lease=lease,
            contact_id=row.contact_id,
            origin=sending.origin,
            channel=sending.spec.facts.channel,
            floor=Protection(row.floor),
            special=any(word in _SPECIALS for word in opened.decision["disclosed"]),
            language=row.language,
            version_id=row.version_id,
            attempts=row.attempts,
            first_attempt_at=row.first_attempt_at or self._at,
            decided_at=row.decided_at,
            uncertain=row.uncertain,
            checked_at=self._at,
            is_capped=sending.is_capped,
            content=opened,
            parts=_render(compiled, values, made) if compiled else code_parts(opened.values, row.language),
            links=made,
        )

    def _compiled(
        self, row: MessageRow, sending: _Sending, opened: Content
    ) -> tuple[Compiled | None, Mapping[str, Any]]:
        """Return the renderer of a row and its values: a template's, its own words', the notice's, none for a code."""
        if sending.origin.kind == CODE:
            return None, {}
        elements = tuple(opened.decision["elements"])
        if self._has_own_words(row):
            payer = sending.spec.facts.payer
            compiled = renderer(opened.values, row.language, elements, payer)
            return compiled, {"contact": {}, "org": content.org_values()}
        if row.version_id is None:
            org = content.notice_org(row.language)
            return content.notice(row.language), {"contact": {}, "org": org}
        key = (row.version_id, elements)
        if key not in self._renderers:
            payer = sending.spec.facts.payer
            self._renderers[key] = content.compile_version(row.version_id, elements=elements, payer=payer)
        return self._renderers[key], opened.values

    def _sending(self, row: MessageRow) -> _Sending:
        found = self._sendings.get(row.origin_id)
        if found is None:
            origin = OriginRow.objects.get(id=row.origin_id)
            spec = planning.read(origin)
            found = self._sendings[row.origin_id] = _Sending(
                origin=Origin(origin.kind, origin.id),
                spec=spec,
                facts_now=planning.facts_now(spec.facts, self._organization),
                is_cancelled=origin.status == OriginRow.CANCELLED,
                announces=origin.kind in ANNOUNCEMENTS,
                is_capped=origin.is_capped and origin.kind not in ANNOUNCEMENTS,
            )
        return found


def _render(compiled: Compiled, values: Mapping[str, Any], made: Links) -> Parts:
    rendered = compiled.render({**values, "link": made.values})
    return Parts(safeguards.unmarked(rendered.subject), rendered.html, rendered.text, rendered.renderer)
