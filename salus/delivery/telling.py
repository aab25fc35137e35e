"""Puts a receipt together: what was decided, what happened, whether the log proves it, in words people read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.content import api as content
from salus.delivery import deposits, guarding, planning, ports, proofs, receipts, remaking
from salus.delivery.contracts import (
    DepositFacts,
    Ground,
    Origin,
    PassedGate,
    Receipt,
    State,
    ToldReceipt,
)
from salus.delivery.models import Deposit, MessageRow
from salus.delivery.rules import may_have_become
from salus.delivery.sealing import message_binding, open_content
from salus.gate import api as gate
from salus.gate.contracts import Explained
from salus.identity import api as identity
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound, SalusError
from salus.kernel.vocabulary import Gate, Protection
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind
from salus.platform.tenancy import current_organization
from salus.timeline import api as timeline

_GROUNDS = {
    EntryKind.OPT_IN: "An opt-in",
    EntryKind.OPT_IN_CONFIRMED: "An opt-in, confirmed by a second message",
    EntryKind.AUTHORIZATION: "A signed authorization",
    EntryKind.PART2_CONSENT: "A signed Part 2 consent",
    EntryKind.UNENCRYPTED_PREFERENCE: "A recorded wish for this channel, after a warning",
    EntryKind.CONFIDENTIAL_ADDRESS: "The address or means that the person asked for",
    EntryKind.REPRESENTATIVE: "A recorded representative",
    EntryKind.RESTRICTION: "A restriction that was agreed to",
    EntryKind.E_NOTICE: "An agreement to electronic notice",
    EntryKind.OPT_OUT: "An opt-out",
    EntryKind.FUNDRAISING_OPT_OUT: "A wish for no more fundraising",
    EntryKind.SUPPRESSION: "A stopped address or channel",
    EntryKind.DECEASED: "A recorded death",
}


def receipt(message_id: UUID) -> Receipt:
    """Return the whole proof of one message, checked now; raises `NotFound`.

    What the last receipt says comes before what the row says: the receipt is what the log proves.
    """
    row = MessageRow.objects.filter(id=message_id).select_related("origin").first()
    if row is None:
        raise NotFound
    opened = open_content(keys.sealer(), message_binding(current_organization(), row.id), row.sealed)
    steps = receipts.steps(message_id)
    facts = [each for _, each in steps]
    proof, pending = proofs.document(message_id, [step for step, _ in steps])
    decided = _last(facts, "results")
    decision = decided or opened.decision
    accepted = _last(facts, "state", State.ACCEPTED)
    wire = accepted or _last(facts, "tls")
    last = facts[-1] if facts else {}
    spec = planning.spec_of(Origin(row.origin.kind, row.origin_id))
    results = tuple({name: each.get(name) for name in _RESULT} for each in decision["results"])
    parent, law = opened.decision.get(deposits.PARENT), guarding.law_of(opened.decision)
    return Receipt(
        message_id=row.id,
        contact_id=row.contact_id,
        origin=Origin(row.origin.kind, row.origin_id),
        state=State(row.state),
        uncertain=row.uncertain,
        rule_ids=tuple(decision["rules"]),
        citations=tuple(dict.fromkeys(each["citation"] for each in results)),
        evidence_ids=tuple(dict.fromkeys(UUID(each["evidence"]) for each in results if each["evidence"])),
        disclosed=tuple(decision["disclosed"]),
        floor=decided.get("floor", "") or _level(row.floor),
        reached=wire.get("reached", "") or _level(row.reached),
        tls=wire.get("tls", {}),
        body_hash=wire.get("body_hash", ""),
        key=wire.get("key", {}),
        relay=(accepted or last).get("relay", {}),
        renderer=wire.get("renderer", ""),
        template_version_id=row.version_id,
        decided_at=row.decided_at,
        handed_over_at=datetime.fromisoformat(accepted["at"]) if accepted else None,
        reply=last.get("reply", ""),
        steps=tuple(facts),
        proof=proof,
        faults=(proofs.faults(proof) if proof else ()) + _contradictions(row, last),
        pending=pending,
        reason=row.reason,
        purpose=spec.facts.purpose,
        channel=spec.facts.channel,
        language=row.language,
        elements=tuple(opened.decision["elements"]),
        results=results,
        rules_version=str(decision.get("rules_version") or opened.decision.get("version", "")),
        profile=str(decision.get("profile", "")),
        attempts=row.attempts,
        deposit=_deposit(message_id),
        law=law.name.lower() if law else "",
        asked=guarding.asked_of(opened.decision),
        announces=UUID(parent) if parent else None,
        events=tuple(timeline.of_message(row.contact_id, row.id)),
    )


_RESULT = ("gate", "rule", "citation", "satisfied", "evidence")


def _last(steps: Iterable[Mapping[str, Any]], name: str, value: object = None) -> Mapping[str, Any]:
    """Return the last step that has `name` (with `value`, when it is given), else nothing."""
    found: Mapping[str, Any] = {}
    for step in steps:
        if step.get(name) and (value is None or value == step[name]):
            found = step
    return found


def _level(number: int) -> str:
    return Protection(number).name.lower() if number else ""


def _contradictions(row: MessageRow, last: Mapping[str, Any]) -> tuple[str, ...]:
    """Return where the row says something that cannot have followed from its last receipt."""
    if last and not may_have_become(State(last["state"]), State(row.state)):
        return (f"the row says {row.state}, but its last receipt says {last['state']}",)
    return ()


def _deposit(message_id: UUID) -> DepositFacts | None:
    found = Deposit.objects.filter(message_id=message_id).first()
    if found is None:
        return None
    return DepositFacts(
        found.created_at,
        found.expires_at,
        found.opened_at,
        found.recalled_at,
        found.notice_id,
        found.special,
        found.path_failed,
        found.view_only,
        found.recall_reason,
        found.erased_at,
    )


def tell(message_id: UUID, *, actor: Actor) -> ToldReceipt:
    """Return a receipt with its rules explained and its people named; the look is recorded."""
    found = receipt(message_id)
    audit.record(
        Action.RECEIPT_READ,
        actor=actor,
        object_kind="message",
        object_id=message_id,
        patient_id=found.contact_id,
    )
    origin = ports.describe(found.origin)
    template, confirmed = _template(found.template_version_id)
    names = identity.staff_names(
        each for each in (confirmed, origin.approved_by if origin else None) if each is not None
    )
    return ToldReceipt(
        receipt=found,
        rules=tuple(_explain(found.rule_ids)),
        gates=tuple(_gates(found)),
        refusal=next(iter(_explain([found.reason])), None) if found.reason else None,
        elements=tuple(_explain(found.elements)),
        grounds=_grounds(found, actor),
        origin=origin,
        template=template,
        confirmed_by=names.get(confirmed, "") if confirmed else "",
        approved_by=names.get(origin.approved_by, "") if origin and origin.approved_by else "",
        same_bytes=_same_bytes(found, actor),
    )


def _same_bytes(found: Receipt, actor: Actor) -> bool | None:
    handed_over = _last(found.steps, "state", State.ACCEPTED)
    if not handed_over.get("date") or not found.body_hash:
        return None
    return remaking.same_bytes(
        MessageRow.objects.get(id=found.message_id),
        body_hash=found.body_hash,
        key=found.key,
        date=datetime.fromisoformat(handed_over["date"]),
        actor=actor,
    )


def _explain(codes: Iterable[str]) -> Iterable[Explained]:
    """Yield what the gate says of each code; what it does not know (a word of the wire) is left out."""
    for code in codes:
        try:
            yield gate.explain(code)
        except SalusError:
            continue


def _gates(found: Receipt) -> Iterable[PassedGate]:
    """Yield what was asked, what was not satisfied first; a rule that only forbids asked nothing."""
    asked = [each for each in found.results if each["gate"] != Gate.BLOCK]
    for each in sorted(asked, key=lambda result: bool(result["satisfied"])):
        told = next(iter(_explain([str(each["gate"])])), None)
        yield PassedGate(
            told.sentence if told else str(each["gate"]),
            str(each["rule"]),
            str(each["citation"]),
            bool(each["satisfied"]),
        )


def _template(version_id: UUID | None) -> tuple[str, UUID | None]:
    if version_id is None:
        return "", None
    version = content.version(version_id)
    confirmed = version.classification.confirmed_by if version.classification else None
    return f"version {version.number}, {version.language}", confirmed


def _grounds(found: Receipt, actor: Actor) -> tuple[Ground, ...]:
    """Return what the decision rests on; topics and evidence texts stay out, they may tell a condition."""
    if not found.evidence_ids:
        return ()
    entries = {
        entry.id: entry for entry in permissions.entries_of(found.contact_id, actor=actor, purpose="receipt")
    }
    grounds = []
    for evidence_id in found.evidence_ids:
        entry = entries.get(evidence_id)
        if entry is not None:
            what = _GROUNDS.get(entry.kind, entry.kind.replace("_", " ").capitalize())
            grounds.append(Ground(evidence_id, what, entry.at, entry.valid_until))
        else:
            grounds.append(_signed_off(evidence_id))
    return tuple(grounds)


def _signed_off(evidence_id: UUID) -> Ground:
    try:
        entry = audit.entry(evidence_id)
    except NotFound:
        return Ground(evidence_id, "Evidence that is kept elsewhere")
    words = (entry.reason or entry.action.rpartition(":")[2]).replace("_", " ")
    return Ground(evidence_id, f"A sign-off: {words}", entry.at, entry=True)
