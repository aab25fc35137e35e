"""For programs: the receipt of one message with its proof, and taking a message back from the portal."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from salus.delivery import api, contracts
from salus.delivery.contracts import ToldReceipt
from salus.identity.api import api_key_auth
from salus.identity.contracts import Permission
from salus.kernel.time import SystemClock

router = Router(tags=["messages"])
CLOCK = SystemClock()


class Rule(Schema):
    """A rule that allowed the message, or a reason that did not."""

    code: str
    sentence: str
    citations: list[str]


class Ground(Schema):
    """Something that the decision rests on."""

    evidence_id: UUID
    what: str
    at: datetime | None
    valid_until: datetime | None


class Receipt(Schema):
    """The whole proof of one message: ids, words and hashes, nothing about the person.

    `same_bytes` is true when the message, made again now, has the bytes of `body_hash`. `proven` is true when every step was found in the audit log, unchanged, while this was answered;
    `faults` says what was not. `proof` can be checked by anybody: docs/receipts.md.
    """

    message_id: UUID
    contact_id: UUID
    origin_kind: str
    origin_id: UUID
    state: str
    reason: str
    uncertain: bool
    purpose: str
    rules: list[Rule]
    refusal: Rule | None
    rests_on: list[Ground]
    rules_version: str
    profile: str
    disclosed: list[str]
    elements: list[str]
    floor: str
    reached: str
    tls: dict[str, str]
    key: dict[str, str]
    body_hash: str
    same_bytes: bool | None
    reply: str
    template_version_id: UUID | None
    decided_at: datetime
    handed_over_at: datetime | None
    steps: list[dict[str, Any]]
    proven: bool
    pending: int
    faults: list[str]
    proof: dict[str, Any] | None


@router.get(
    "/messages/{message_id}/receipt",
    response=Receipt,
    auth=api_key_auth(Permission.DELIVERY_RECEIPT_READ),
    summary="The receipt of a message",
)
def receipt(request: HttpRequest, message_id: UUID) -> Receipt:
    """Return the receipt of a message with its proof; the look is recorded."""
    return written(api.told_receipt(message_id, actor=request.actor))  # type: ignore[attr-defined]


@router.post(
    "/messages/{message_id}/recall",
    response={204: None},
    auth=api_key_auth(Permission.DELIVERY_MESSAGE_RECALL),
    summary="Recall a message from the portal",
)
def recall(
    request: HttpRequest, message_id: UUID, reason: contracts.RecallReason = contracts.RecallReason.OTHER
) -> Status[None]:
    """Take a message back from the portal; again changes nothing. 404 when it is not there, 409 when expired."""
    api.recall(message_id, reason=reason, actor=request.actor, at=CLOCK.now())  # type: ignore[attr-defined]
    return Status(204, None)


class Cap(Schema):
    """At most `at_most` messages to one person in any `days` days; transactional ones do not count."""

    at_most: int = Field(strict=True, ge=1, le=api.MOST_MESSAGES)
    days: int = Field(strict=True, ge=1, le=api.MOST_DAYS)


class Capped(Schema):
    """The frequency cap; null: there is none."""

    cap: Cap | None


@router.get(
    "/frequency-cap",
    response=Capped,
    auth=api_key_auth(Permission.ORGANIZATION_SETTINGS_READ),
    summary="The frequency cap",
)
def cap(request: HttpRequest) -> Capped:
    """Return how often one person may be written to, over all campaigns and journeys."""
    return _capped()


@router.put(
    "/frequency-cap",
    response=Capped,
    auth=api_key_auth(Permission.ORGANIZATION_SETTINGS_EDIT),
    summary="Set the frequency cap",
)
def set_cap(request: HttpRequest, new: Capped) -> Capped:
    """Set the frequency cap, or take it away with null. What was held back asks again at once."""
    wanted = contracts.Cap(new.cap.at_most, new.cap.days) if new.cap else None
    api.set_cap(wanted, actor=request.actor, at=CLOCK.now())  # type: ignore[attr-defined]
    return _capped()


def _capped() -> Capped:
    found = api.cap()
    return Capped(cap=Cap(at_most=found.at_most, days=found.days) if found else None)


def written(told: ToldReceipt) -> Receipt:
    """Return a receipt in the form that programs read."""
    found = told.receipt
    return Receipt(
        message_id=found.message_id,
        contact_id=found.contact_id,
        origin_kind=found.origin.kind,
        origin_id=found.origin.id,
        state=found.state,
        reason=found.reason,
        uncertain=found.uncertain,
        purpose=found.purpose,
        rules=[
            Rule(code=each.code, sentence=each.sentence, citations=list(each.citations))
            for each in told.rules
        ],
        refusal=Rule(
            code=told.refusal.code, sentence=told.refusal.sentence, citations=list(told.refusal.citations)
        )
        if told.refusal
        else None,
        rests_on=[
            Ground(evidence_id=each.evidence_id, what=each.what, at=each.at, valid_until=each.valid_until)
            for each in told.grounds
        ],
        rules_version=found.rules_version,
        profile=found.profile,
        disclosed=list(found.disclosed),
        elements=list(found.elements),
        floor=found.floor,
        reached=found.reached,
        tls=dict(found.tls),
        key=dict(found.key),
        body_hash=found.body_hash,
        same_bytes=told.same_bytes,
        reply=found.reply,
        template_version_id=found.template_version_id,
        decided_at=found.decided_at,
        handed_over_at=found.handed_over_at,
        steps=[dict(each) for each in found.steps],
        proven=found.is_proven,
        pending=found.pending,
        faults=list(found.faults),
        proof=dict(found.proof) if found.proof else None,
    )
