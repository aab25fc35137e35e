"""What people record about how a vendor keeps its word: verifications, subcontractors with proof, who does what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.vendors import rules
from salus.vendors.contracts import Duty, Owner
from salus.vendors.models import ResponsibilityRow, SubcontractorRow, VendorRow, VerificationRow
from salus.vendors.operations import NAME, NOTE
from salus.vendors.queries import today
from salus.vendors.sealing import seal


def verify(
    vendor_id: UUID,
    *,
    by: str,
    evidence: str,
    verified_on: date,
    next_on: date,
    actor: Actor,
    at: datetime,
) -> None:
    """Record that somebody looked whether a vendor keeps its agreement; raises `BadInput`, `NotFound`."""
    vendor = _locked(vendor_id)
    rules.check_period(verified_on, next_on, today(at), places=("verified_on", "next_on"))
    row = VerificationRow(id=new_id(), vendor=vendor, verified_on=verified_on, next_on=next_on)
    row.recorded_at, row.recorded_by = at, actor.id
    text = {
        "by": rules.check_text(by, "by", longest=NAME),
        "evidence": rules.check_text(evidence, "evidence", longest=NOTE),
    }
    row.sealed = seal("vendors_verification", row.id, text)
    row.save(force_insert=True)
    _record(vendor_id, actor, "verified", {"next_on": next_on.isoformat()})


def record_subcontractor(
    vendor_id: UUID,
    subcontractor_id: UUID | None = None,
    *,
    name: str,
    does: str,
    proof: str = "",
    seen_on: date | None = None,
    next_on: date | None = None,
    actor: Actor,
    at: datetime,
) -> UUID:
    """Record who works for a vendor with our data and the proof that was seen, or change it; return its id.

    We need no contract with it ourselves (45 CFR 164.308(b)(1)); the vendor does (164.308(b)(2)). Raises
    `BadInput` with the place, `NotFound`.
    """
    vendor = _locked(vendor_id)
    rules.check_proof(proof.strip(), seen_on, next_on, today(at))
    row = _present(vendor_id, subcontractor_id) if subcontractor_id else None
    outcome = "subcontractor_changed" if row else "subcontractor_added"
    row = row or SubcontractorRow(id=new_id(), vendor=vendor, created_at=at)
    row.seen_on, row.next_on, row.changed_at = seen_on, next_on, at
    text = {
        "name": rules.check_text(name, "name", longest=NAME),
        "does": rules.check_text(does, "does", longest=NOTE),
        "proof": rules.check_text(proof, "proof", longest=NOTE, required=False),
    }
    row.sealed = seal("vendors_subcontractor", row.id, text)
    row.save()
    _record(vendor_id, actor, outcome, {"subcontractor": str(row.id), "proven": int(bool(proof.strip()))})
    return row.id


def drop_subcontractor(vendor_id: UUID, subcontractor_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Record that a subcontractor works for a vendor no more; raises `NotFound`."""
    _locked(vendor_id)
    row = _present(vendor_id, subcontractor_id)
    row.left_at = at
    row.save(update_fields=["left_at"])
    _record(vendor_id, actor, "subcontractor_left", {"subcontractor": str(row.id)})


def assign(
    vendor_id: UUID,
    assigned: Mapping[Duty, tuple[Owner | None, str]],
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Say who has each of these duties: the owner, and who at our side; no owner: nobody has it.

    Raises `BadInput` with the duty's word as place, `NotFound`.
    """
    vendor = _locked(vendor_id)
    for duty, (owner, who) in assigned.items():
        if owner is None:
            if who.strip():
                raise BadInput("Choose who has it.", place=duty)
            ResponsibilityRow.objects.filter(vendor_id=vendor_id, duty=duty).delete()
            continue
        row = ResponsibilityRow.objects.filter(vendor_id=vendor_id, duty=duty).first()
        row = row or ResponsibilityRow(id=new_id(), vendor=vendor, duty=duty)
        row.owner, row.changed_at = owner, at
        text = {"who": rules.check_text(who, duty, longest=NAME, required=False)}
        row.sealed = seal("vendors_responsibility", row.id, text)
        row.save()
    owners = {str(duty): str(owner or "nobody") for duty, (owner, _) in assigned.items()}
    _record(vendor_id, actor, "duties_assigned", owners)


def _locked(vendor_id: UUID) -> VendorRow:
    row = VendorRow.objects.select_for_update().filter(id=vendor_id).first()
    if row is None:
        raise NotFound
    return row


def _present(vendor_id: UUID, subcontractor_id: UUID) -> SubcontractorRow:
    row = SubcontractorRow.objects.filter(id=subcontractor_id, vendor_id=vendor_id, left_at=None).first()
    if row is None:
        raise NotFound
    return row


def _record(vendor_id: UUID, actor: Actor, outcome: str, details: Mapping[str, str | int]) -> None:
    audit.record(
        Action.VENDOR_CHANGE,
        actor=actor,
        object_kind="vendor",
        object_id=vendor_id,
        outcome=outcome,
        details=dict(details),
    )
