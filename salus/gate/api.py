"""The door of the gate: facts in, decisions and clearances out, and every code explained.

`message_facts` and `person_fields` say what the gate must know; `assemble_and_clear` fetches it for a
batch of people and decides; `decide` and `clear` decide on facts that the caller has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.contacts.contracts import Opened, Read
from salus.content.contracts import Classification
from salus.gate import best_case as _best_case
from salus.gate import explaining, facts_file, handbook
from salus.gate import facts_schema as schema_of_facts
from salus.gate.catalogue import CODES, joined, own_specials, reads_any_code
from salus.gate.contracts import Clearance, Decision, Explained, MessageFacts, PersonFacts, RuleView
from salus.gate.people import EVERY_FIELD, Assembler, Ports, fields_of
from salus.gate.rules.moment import Moment
from salus.gate.rules.program import Program
from salus.gate.rules.table import RULES, RULES_VERSION
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.time import Clock, SystemClock
from salus.kernel.vocabulary import Channel, Profile, SenderRole
from salus.permissions import api as permissions
from salus.permissions.contracts import Standing

__all__ = [
    "RULES_VERSION",
    "assemble_and_clear",
    "best_case",
    "clear",
    "decide",
    "decide_document",
    "decision_table",
    "explain",
    "facts_schema",
    "message_facts",
    "person_fields",
    "read_cases",
    "with_table",
    "write_decision",
]

_CLOCK = SystemClock()
PURPOSE_OF_OPENING = "message_clearance"
"""Why contacts are opened, as the audit log says it."""


class SenderFacts(Protocol):
    """What the gate must know of the organization that sends (`identity.contracts.Organization`)."""

    @property
    def sender_role(self) -> SenderRole:
        """Return what it is under HIPAA."""
        ...

    @property
    def profile(self) -> Profile:
        """Return the profile that it chose."""
        ...


def message_facts(
    classification: Classification,
    *,
    reads: Iterable[Read],
    organization: SenderFacts,
    channel: Channel,
    individual: bool = False,
    service_in_scope: bool = True,
    double_opt_in_required: bool = True,
    sign_offs: Mapping[str, UUID] | None = None,
) -> MessageFacts:
    """Return all that the gate must know of a message.

    `reads` are those of the segment and of every template version together (implicit disclosure).
    `service_in_scope` is True where no vendor carries the message: Salus hands it to the reader's own
    mail server. `sign_offs` may have "clinician_sign_off", "safety_flag", "waiver_id" and
    "compliance_approval"; another name raises `BadInput`, and so does a value set that does not exist.
    """
    signed = dict(sign_offs or {})
    for name in signed:
        if name not in {"clinician_sign_off", "safety_flag", "waiver_id", "compliance_approval"}:
            raise BadInput("is no sign-off that the gate knows", place=name)
    facts = MessageFacts(
        purpose=classification.purpose,
        promotes=classification.promotes,
        remuneration=classification.remuneration,
        payer=classification.payer,
        payer_is_promoted_party=classification.payer_is_promoted_party,
        topic=classification.topic,
        channel=channel,
        sender_role=organization.sender_role,
        profile=organization.profile,
        reads=joined(reads),
        conditions=classification.conditions,
        classification_confirmed=classification.confirmed_by is not None,
        individual=individual,
        service_in_scope=service_in_scope,
        double_opt_in_required=double_opt_in_required,
        **signed,
    )
    for code in facts.conditions:
        CODES.covers(code, code)
        CODES.specials_of("conditions", code)
    return facts


def person_fields(facts: MessageFacts | None = None) -> tuple[str, ...]:
    """Return the contact fields that the gate reads for a message; without one, all it may ever read."""
    return EVERY_FIELD if facts is None else fields_of(facts, _any_code_fields(facts))


def decide(facts: MessageFacts, persons: Sequence[PersonFacts], at: datetime) -> list[Decision]:
    """Return the decision for each person at `at`, in order; pure, about 10 us a person."""
    now = Moment.of(at)
    program = _program(facts, now.today)
    return [program.decide(person, now) for person in persons]


def best_case(facts: MessageFacts, at: datetime) -> Decision:
    """Return the decision for the invented person who could most likely get a message on the day of `at`.

    They have signed everything for it and refused nothing; when it is not allowed, nobody can ever get it
    without a change of the message. Raises `BadInput` for a value set that does not exist.
    """
    return _best_decision(facts, _best_case.moment(at))


def clear(
    facts: MessageFacts,
    opened: Sequence[Opened],
    standings: Mapping[UUID, Standing],
    at: datetime,
) -> list[Clearance]:
    """Return a clearance for each opened person, in order, bound to the versions it was made on.

    `opened` must hold `person_fields(facts)`, `standings` one for each id, taken at `at`.
    """
    now = Moment.of(at)
    program, assembler = _program(facts, now.today), _assembler(facts, now)
    cleared = []
    for one in opened:
        standing = standings[one.id]
        person = assembler.facts_of(one, standing)
        decision = program.decide(person, now)
        cleared.append(Clearance(decision, one.id, one.number, one.version, standing.version, person.address))
    return cleared


def assemble_and_clear(
    facts: MessageFacts,
    numbers: Sequence[int],
    merge_fields: Sequence[str],
    at: datetime,
    actor: Actor,
) -> list[tuple[Clearance, Opened]]:
    """Open the people with these contact numbers, take their standings, and decide for each.

    One query for the documents, one for the standings; the opening is recorded in the audit log.
    `merge_fields` are opened too, so that the caller can render from the same version that was
    cleared. People who are erased or not here are left out. The gate itself stores nothing.
    """
    fields = tuple(dict.fromkeys((*person_fields(facts), *merge_fields)))
    opened = contacts.open_fields(numbers=numbers, fields=fields, purpose=PURPOSE_OF_OPENING, actor=actor)
    standings = permissions.standings([one.id for one in opened], at)
    return list(zip(clear(facts, opened, standings, at), opened, strict=True))


def explain(code: str) -> Explained:
    """Return what a reason, rule, row, gate, element or ruling means; raises `NotFound` for another code."""
    return explaining.explain(code)


def decision_table() -> tuple[RuleView, ...]:
    """Return every rule as people read it, in the order of the table."""
    return tuple(explaining.view(rule) for rule in RULES)


def with_table(page: str) -> str:
    """Return a page like docs/law.md with its table of rules brought up to date."""
    return handbook.with_table(page, decision_table(), RULES_VERSION)


def facts_schema() -> dict[str, Any]:
    """Return the JSON Schema of a file of facts, for `read_cases`."""
    return schema_of_facts.schema()


def read_cases(document: object, default_at: datetime) -> list[facts_file.FactsCase]:
    """Read a parsed file of facts; raises `BadInput` with the JSON path of the first fault."""
    return facts_file.read(document, default_at)


def decide_document(document: object, *, actor: Actor, clock: Clock = _CLOCK) -> list[dict[str, Any]]:
    """Decide a parsed file of facts for a program, as JSON values; the act is recorded, not the facts.

    Raises `BadInput` with the JSON path of the first fault.
    """
    cases = facts_file.read(document, clock.now())
    decisions = [decision for case in cases for decision in decide(case.message, case.persons, case.at)]
    audit.record(
        Action.GATE_DECIDE,
        actor=actor,
        object_kind="facts",
        rule_version=RULES_VERSION,
        details={
            "cases": len(cases),
            "persons": len(decisions),
            "allowed": sum(decision.allowed for decision in decisions),
        },
    )
    return [write_decision(decision) for decision in decisions]


def write_decision(decision: Decision) -> dict[str, Any]:
    """Return a decision as JSON values, explained."""
    reason = explaining.explain(decision.reason) if decision.reason else None
    return facts_file.write_decision(decision, reason)


@lru_cache(maxsize=256)
def _best_decision(facts: MessageFacts, noon: datetime) -> Decision:
    """Ask for one after the other until somebody may get it; while a journey is drawn it is asked again and again."""
    refused = []
    for person in _best_case.people(facts, noon):
        (decision,) = decide(facts, [person], noon)
        if decision.allowed:
            return decision
        refused.append(decision)
    return min(refused, key=_best_case.lacks)


@lru_cache(maxsize=64)
def _program(facts: MessageFacts, day: date) -> Program:
    """Compile a message once for a day."""
    return Program(facts, CODES, day)


def _any_code_fields(facts: MessageFacts) -> tuple[str, ...]:
    return tuple(dict.fromkeys(read.field for read in facts.reads if reads_any_code(read)))


def _assembler(facts: MessageFacts, now: Moment) -> Assembler:
    ports = replace(_PORTS, barred=permissions.barred(), blinds=contacts.blinds_of_address)
    return Assembler(facts, _any_code_fields(facts), ports, now)


def _blind(channel: Channel, value: str) -> bytes | None:
    """Blind an address; one that has no normal form has no index, and then any suppression counts."""
    try:
        return contacts.blind_address(channel, value)
    except BadInput:
        return None


_PORTS = Ports(CODES, _blind, own_specials, contacts.zone_of_state)
