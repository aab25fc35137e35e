"""What people do to the register, each in one transaction: check, lock, write, record."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.platform.reach import laboratory
from salus.vendors import addresses, queries, rules
from salus.vendors.contracts import Clause, Control, Kind, Relation
from salus.vendors.models import AgreementRow, AttestationRow, ServiceRow, VendorRow
from salus.vendors.sealing import open_sealed, seal

NAME, NOTE = 120, 2000
"""The longest name and the longest note, in characters."""


def create_vendor(
    name: str,
    note: str = "",
    *,
    relation: Relation = Relation.ASSOCIATE,
    actor: Actor,
    at: datetime,
) -> UUID:
    """Put a vendor into the register and return its id; raises `BadInput`."""
    row = VendorRow(id=new_id(), relation=relation, created_at=at, changed_at=at)
    row.sealed = _vendor_text(row.id, name, note)
    row.save(force_insert=True)
    _record_vendor(row, actor)
    return row.id


def change_vendor(
    vendor_id: UUID,
    name: str,
    note: str,
    *,
    relation: Relation = Relation.ASSOCIATE,
    actor: Actor,
    at: datetime,
) -> None:
    """Change a vendor's name and note, and what it is to us; raises `BadInput`, `NotFound`."""
    row = _locked(VendorRow, vendor_id)
    services = ServiceRow.objects.filter(vendor_id=vendor_id)
    rules.check_relation(relation, [(Kind(each.kind), each.may_carry) for each in services])
    row.sealed, row.relation, row.changed_at = _vendor_text(row.id, name, note), relation, at
    row.save(update_fields=["sealed", "relation", "changed_at"])
    _record_vendor(row, actor)


def record_agreement(
    vendor_id: UUID,
    *,
    signed_on: date | None,
    valid_until: date | None = None,
    agent: bool = True,
    report_hours: int,
    clauses: Collection[Clause],
    note: str = "",
    agency: str = "",
    agreement_id: UUID | None = None,
    actor: Actor,
    at: datetime,
) -> UUID:
    """Record an agreement, or change one that is not signed yet (`agreement_id`); return its id.

    `agency` says who signed off, and why, that the vendor is not our `agent`. Raises `BadInput` with the
    place, `NotFound`, and `Conflict` for one that was signed.
    """
    rules.check_agreement(signed_on, valid_until, report_hours, agent, agency, queries.today(at))
    row = _agreement_to_write(_locked(VendorRow, vendor_id), agreement_id)
    row.signed_on, row.valid_until = signed_on, valid_until
    row.agent, row.report_hours = agent, report_hours
    row.clauses = sorted(clauses)
    row.recorded_at, row.recorded_by = at, actor.id
    text = {
        "note": rules.check_text(note, "note", longest=NOTE, required=False),
        "agency": "" if agent else rules.check_text(agency, "agency", longest=NOTE),
    }
    row.sealed = seal("vendors_agreement", row.id, text)
    row.save()
    lacks = rules.missing(clauses)
    outcome = "signed" if signed_on else "unsigned"
    details: dict[str, str | int] = {
        "agreement": str(row.id),
        "missing": len(lacks),
        "report_hours": report_hours,
        "agent": int(agent),
    }
    _record(Action.VENDOR_AGREEMENT, "vendor", vendor_id, actor, outcome=outcome, details=details)
    return row.id


def end_agreement(agreement_id: UUID, *, actor: Actor, at: datetime) -> None:
    """End an agreement today: nothing goes to its vendor's services unless another one holds."""
    row = _locked(AgreementRow, agreement_id)
    if row.ended_on is not None:
        raise Conflict("This agreement was ended already.")
    row.ended_on = queries.today(at)
    row.save(update_fields=["ended_on"])
    _record(
        Action.VENDOR_AGREEMENT,
        "vendor",
        row.vendor_id,
        actor,
        outcome="ended",
        details={"agreement": str(row.id)},
    )


def create_service(
    vendor_id: UUID,
    *,
    kind: Kind,
    name: str,
    address: str = "",
    may_carry: Iterable[str],
    actor: Actor,
    at: datetime,
) -> UUID:
    """Register a service of a vendor and return its id; a webhook gets a signing secret. Raises `BadInput`."""
    vendor = _locked(VendorRow, vendor_id)
    row = ServiceRow(id=new_id(), vendor=vendor, kind=kind, created_at=at, changed_at=at)
    secrets = [_fresh_secret()] if kind is Kind.WEBHOOK else []
    _write_service(row, vendor, name, address, may_carry, secrets)
    row.save(force_insert=True)
    _record_service(row, actor, "created")
    return row.id


def change_service(
    service_id: UUID,
    *,
    name: str,
    address: str,
    may_carry: Iterable[str],
    actor: Actor,
    at: datetime,
) -> None:
    """Change what a service is called, where it is and what it may carry; raises `BadInput`, `NotFound`."""
    row = _locked(ServiceRow, service_id)
    secrets = open_sealed("vendors_service", row.id, row.sealed)["secrets"]
    _write_service(row, row.vendor, name, address, may_carry, secrets)
    row.changed_at = at
    row.save()
    _record_service(row, actor, "changed")


def switch_service(service_id: UUID, active: bool, *, actor: Actor, at: datetime) -> None:
    """Switch a service on or off; off, nothing goes to it."""
    row = _locked(ServiceRow, service_id)
    if row.active == active:
        return
    row.active, row.changed_at = active, at
    row.save(update_fields=["active", "changed_at"])
    _record_service(row, actor, "on" if active else "off")


def show_secret(service_id: UUID, *, actor: Actor, at: datetime) -> str:
    """Return a webhook's present signing secret, for whoever sets the receiver up; the look is recorded."""
    row = _locked(ServiceRow, service_id)
    if row.kind != Kind.WEBHOOK:
        raise NotFound
    _record_service(row, actor, "secret_shown")
    return rules.shown_secret(queries.secrets(row, at)[0])


def renew_secret(service_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Give a webhook a new signing secret; the one before signs along for a day."""
    row = _locked(ServiceRow, service_id)
    if row.kind != Kind.WEBHOOK:
        raise NotFound
    text = open_sealed("vendors_service", row.id, row.sealed)
    before = {**text["secrets"][0], "until": (at + rules.OLD_SECRET).isoformat()}
    row.sealed = seal("vendors_service", row.id, {**text, "secrets": [_fresh_secret(), before]})
    row.changed_at = at
    row.save(update_fields=["sealed", "changed_at"])
    _record_service(row, actor, "secret_renewed")


def signing_secrets(service_id: UUID, at: datetime) -> tuple[bytes, ...]:
    """Return the secrets that sign calls to a webhook at `at`, newest first; raises `NotFound`."""
    row = ServiceRow.objects.filter(id=service_id, kind=Kind.WEBHOOK).first()
    if row is None:
        raise NotFound
    return queries.secrets(row, at)


def attest(
    service_id: UUID,
    controls: Collection[Control],
    *,
    by: str,
    evidence: str,
    attested_on: date,
    expires_on: date,
    actor: Actor,
    at: datetime,
) -> None:
    """Record that somebody attests these controls of a service, and what was seen for it.

    It takes the place of what was attested of them before. Raises `BadInput` with the place, `NotFound`.
    """
    service = _locked(ServiceRow, service_id)
    rules.check_period(attested_on, expires_on, queries.today(at), places=("attested_on", "expires_on"))
    if not controls:
        raise BadInput("Choose what is attested.", place="controls")
    text = {
        "by": rules.check_text(by, "by", longest=NAME),
        "evidence": rules.check_text(evidence, "evidence", longest=NOTE),
    }
    for control in sorted(set(controls)):
        row = AttestationRow(id=new_id(), service=service, control=control)
        row.attested_on, row.expires_on = attested_on, expires_on
        row.recorded_at, row.recorded_by = at, actor.id
        row.sealed = seal("vendors_attestation", row.id, text)
        row.save(force_insert=True)
    _record(
        Action.VENDOR_SERVICE,
        "vendor",
        service.vendor_id,
        actor,
        fields=tuple(sorted(set(controls))),
        outcome="attested",
        details={"service": str(service_id), "expires_on": expires_on.isoformat()},
    )


def _agreement_to_write(vendor: VendorRow, agreement_id: UUID | None) -> AgreementRow:
    if agreement_id is None:
        return AgreementRow(id=new_id(), vendor=vendor)
    row: AgreementRow = _locked(AgreementRow, agreement_id)
    if row.vendor_id != vendor.id:
        raise NotFound
    if row.signed_on is not None or row.ended_on is not None:
        raise Conflict(
            "A signed agreement does not change.", next_step="End it, and record the one that follows it."
        )
    return row


def _write_service(
    row: ServiceRow,
    vendor: VendorRow,
    name: str,
    address: str,
    may_carry: Iterable[str],
    secrets: list[dict[str, str]],
) -> None:
    kept, kind = rules.check_text(name, "name", longest=NAME), Kind(row.kind)
    address = addresses.check_address(kind, address, laboratory=laboratory())
    labels = rules.check_labels(may_carry)
    rules.check_relation(Relation(vendor.relation), [(kind, labels)])
    row.may_carry = sorted(labels)
    row.place = addresses.place(row.organization_id, kind, address)
    document = {"name": kept, "address": address, "secrets": secrets}
    row.sealed = seal("vendors_service", row.id, document)


def _vendor_text(vendor_id: UUID, name: str, note: str) -> bytes:
    document = {
        "name": rules.check_text(name, "name", longest=NAME),
        "note": rules.check_text(note, "note", longest=NOTE, required=False),
    }
    return seal("vendors_vendor", vendor_id, document)


def _fresh_secret() -> dict[str, str]:
    return {"secret": os.urandom(rules.SECRET_BYTES).hex()}


def _locked(model: Any, row_id: UUID) -> Any:
    row = model.objects.select_for_update().filter(id=row_id).first()
    if row is None:
        raise NotFound
    return row


def _record_vendor(row: VendorRow, actor: Actor) -> None:
    _record(
        Action.VENDOR_CHANGE,
        "vendor",
        row.id,
        actor,
        fields=("name", "note", "relation"),
        details={"relation": str(row.relation)},
    )


def _record_service(row: ServiceRow, actor: Actor, outcome: str) -> None:
    """Record an act on a service; `fields` are the classes that it may carry from now on."""
    _record(
        Action.VENDOR_SERVICE,
        "vendor",
        row.vendor_id,
        actor,
        fields=tuple(row.may_carry),
        outcome=outcome,
        details={"service": str(row.id), "kind": str(row.kind)},
    )


def _record(
    action: Action,
    kind: str,
    object_id: UUID,
    actor: Actor,
    *,
    fields: tuple[str, ...] = (),
    outcome: str = "ok",
    details: dict[str, str | int] | None = None,
) -> None:
    audit.record(
        action,
        actor=actor,
        object_kind=kind,
        object_id=object_id,
        fields=fields,
        outcome=outcome,
        details=details or {},
    )
