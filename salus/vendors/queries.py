"""Reads of the register: vendors with agreements and services, and whether a service is in scope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from salus.identity import api as identity
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.phi import Phi
from salus.platform.tenancy import current_organization
from salus.vendors import addresses, due, rules
from salus.vendors.assured import Assured, assured
from salus.vendors.contracts import (
    Agreement,
    Attestation,
    BreachClock,
    Clause,
    Control,
    Due,
    Finding,
    Kind,
    Label,
    OutOfScope,
    Relation,
    Reminder,
    Service,
    Standing,
    Vendor,
    Why,
)
from salus.vendors.models import AgreementRow, AttestationRow, ServiceRow, VendorRow
from salus.vendors.sealing import open_sealed


def today(at: datetime) -> date:
    """Return the day it is at `at` where the organization is: agreements begin and end there."""
    return at.astimezone(ZoneInfo(identity.organization().time_zone)).date()


def vendors(at: datetime) -> list[Vendor]:
    """Return every vendor by name, as it stands at `at`."""
    found = _vendors(VendorRow.objects.all(), at)
    return sorted(found, key=lambda each: each.name.reveal().casefold())


def vendor(vendor_id: UUID, at: datetime) -> Vendor:
    """Return one vendor as it stands at `at`; raises `NotFound`."""
    found = _vendors(VendorRow.objects.filter(id=vendor_id), at)
    if not found:
        raise NotFound
    return found[0]


def services(at: datetime, kind: Kind | None = None) -> list[Service]:
    """Return services by name, of one kind or all, as they stand at `at`."""
    rows = ServiceRow.objects.filter(kind=kind) if kind else ServiceRow.objects.all()
    found = _services(list(rows), at)
    return sorted(found, key=lambda each: each.name.reveal().casefold())


def service(service_id: UUID, at: datetime) -> Service:
    """Return one service as it stands at `at`; raises `NotFound`."""
    found = _services(list(ServiceRow.objects.filter(id=service_id)), at)
    if not found:
        raise NotFound
    return found[0]


def service_in_scope(service_id: UUID, classes: Iterable[Label], at: datetime) -> Service:
    """Return a service that may carry `classes` at `at`; raises `OutOfScope` with the reason.

    Deny by default: it is unknown or switched off, its vendor has no agreement that is signed, complete,
    not ended and not expired, a control is not attested, or one of the classes (or special categories) is
    beyond its scope.
    """
    row = ServiceRow.objects.filter(id=service_id).first()
    if row is None:
        raise out_of_scope(Why.UNKNOWN)
    why = _Look([row], today(at)).why_not(row, classes)
    if why is not None:
        raise out_of_scope(why)
    return _services([row], at)[0]


def outbound(kind: Kind, address: str, labels: Iterable[Label], at: datetime) -> UUID:
    """Return the id of the service of this kind behind `address` that may carry `labels`; raises `OutOfScope`.

    Deny by default, as for `service_in_scope`. What the kind is told in any case is asked along
    (`rules.always_told`). Nothing that is sealed is opened: it answers also for the service that keeps the keys.
    """
    try:
        place = addresses.place(current_organization(), kind, address)
    except BadInput:
        raise out_of_scope(Why.UNKNOWN) from None
    rows = list(ServiceRow.objects.filter(kind=kind, place=place).defer("sealed").order_by("-created_at"))
    asked = {*labels, *rules.always_told(kind, identity.organization().sender_role)}
    look = _Look(rows, today(at))
    refused = Why.UNKNOWN
    for row in rows:
        why = look.why_not(row, asked)
        if why is None:
            return row.id
        refused = why if refused is Why.UNKNOWN else refused
    raise out_of_scope(refused)


def calendar(at: datetime) -> list[Due]:
    """Return what is due about vendors, the first due first."""
    return due.calendar(vendors(at), today(at))


def reminders(at: datetime) -> list[Reminder]:
    """Return the tasks that the calendar asks for at `at`."""
    return due.reminders(calendar(at), at, ZoneInfo(identity.organization().time_zone))


def findings(at: datetime) -> tuple[Finding, ...]:
    """Return what stands in the way of vendors' services, or soon will, errors first."""
    return due.findings(vendors(at), today(at))


def breach_clock(vendor_id: UUID, *, discovered: datetime, told: datetime | None) -> BreachClock:
    """Return the clocks of a breach that a vendor `discovered`, and told us of at `told`; raises `NotFound`.

    The agreement that held that day counts, else the newest; without any the vendor is taken for our agent.
    """
    found = vendor(vendor_id, discovered)
    agreement = found.in_force or next(iter(found.agreements), None)
    return rules.breach_clock(
        agent=agreement is None or agreement.agent,
        signed_off=agreement is not None and bool(agreement.agency.reveal()),
        report_hours=agreement.report_hours if agreement else rules.LONGEST_REPORT,
        discovered=discovered,
        told=told,
    )


def secrets(row: ServiceRow, at: datetime) -> tuple[bytes, ...]:
    """Return the secrets that sign at `at`, newest first: the one before signs along for a while."""
    found: list[dict[str, str]] = _text(row)["secrets"]
    newest, *older = found
    return tuple(
        bytes.fromhex(each["secret"])
        for each in (newest, *(old for old in older if datetime.fromisoformat(old["until"]) > at))
    )


def out_of_scope(why: Why) -> OutOfScope:
    """Return the refusal for this reason, in words."""
    what, next_step = rules.WORDS[why]
    return OutOfScope(why, what, next_step=next_step)


class _Look:
    """Looks whether services may be used, from what is in the clear: dates, clauses, ticks."""

    def __init__(self, rows: Sequence[ServiceRow], day: date) -> None:
        self._day = day
        vendor_ids = {row.vendor_id for row in rows}
        self._relations = dict(VendorRow.objects.filter(id__in=vendor_ids).values_list("id", "relation"))
        self._agreements: defaultdict[UUID, list[tuple[Standing, frozenset[Clause]]]] = defaultdict(list)
        agreements = AgreementRow.objects.filter(vendor_id__in=vendor_ids).order_by("-recorded_at")
        for vendor_id, signed_on, valid_until, ended_on, words in agreements.values_list(
            "vendor_id", "signed_on", "valid_until", "ended_on", "clauses"
        ):
            clauses = frozenset(map(Clause, words))
            stands = rules.standing(signed_on, valid_until, ended_on, clauses, day)
            self._agreements[vendor_id].append((stands, clauses))
        self._attested = {
            (service_id, control)
            for (service_id, control), (attested_on, expires_on) in _newest(rows).items()
            if attested_on <= day <= expires_on
        }

    def why_not(self, row: ServiceRow, asked: Iterable[Label] = ()) -> Why | None:
        """Return why a service may not carry what is asked, None when it may."""
        kind = Kind(row.kind)
        return rules.why_not(
            active=row.active,
            relation=Relation(self._relations[row.vendor_id]),
            may_carry=rules.check_labels(row.may_carry),
            agreements=self._agreements[row.vendor_id],
            unattested=[each for each in rules.controls(kind) if (row.id, each.value) not in self._attested],
            asked=asked,
        )


def _newest(rows: Sequence[ServiceRow]) -> dict[tuple[UUID, str], tuple[date, date]]:
    """Return from when through when the newest attestation of each control holds."""
    found = AttestationRow.objects.filter(service_id__in=[row.id for row in rows]).order_by("recorded_at")
    dates = found.values_list("service_id", "control", "attested_on", "expires_on")
    return {(service_id, control): (start, end) for service_id, control, start, end in dates}


def _vendors(rows: Iterable[VendorRow], at: datetime) -> list[Vendor]:
    found = list(rows)
    ids = [row.id for row in found]
    agreements = _agreements(ids, at)
    services: defaultdict[UUID, list[Service]] = defaultdict(list)
    for each in _services(list(ServiceRow.objects.filter(vendor_id__in=ids).order_by("created_at")), at):
        services[each.vendor_id].append(each)
    kept = assured(ids, today(at))
    return [
        _vendor(row, agreements.get(row.id, ()), services[row.id], kept.get(row.id) or Assured())
        for row in found
    ]


def _vendor(
    row: VendorRow, agreements: Sequence[Agreement], services: Sequence[Service], kept: Assured
) -> Vendor:
    text = open_sealed("vendors_vendor", row.id, row.sealed)
    return Vendor(
        id=row.id,
        name=Phi(text["name"]),
        note=Phi(text["note"]),
        relation=Relation(row.relation),
        agreements=tuple(agreements),
        services=tuple(services),
        subcontractors=tuple(kept.subcontractors),
        verification=kept.verification,
        responsibilities=kept.responsibilities,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def _agreements(vendor_ids: Collection[UUID], at: datetime) -> dict[UUID, tuple[Agreement, ...]]:
    day = today(at)
    found: defaultdict[UUID, list[Agreement]] = defaultdict(list)
    for row in AgreementRow.objects.filter(vendor_id__in=vendor_ids).order_by("-recorded_at"):
        found[row.vendor_id].append(_agreement(row, day))
    return {vendor_id: tuple(each) for vendor_id, each in found.items()}


def _agreement(row: AgreementRow, day: date) -> Agreement:
    clauses = frozenset(map(Clause, row.clauses))
    text = open_sealed("vendors_agreement", row.id, row.sealed)
    return Agreement(
        id=row.id,
        vendor_id=row.vendor_id,
        signed_on=row.signed_on,
        valid_until=row.valid_until,
        agent=row.agent,
        report_hours=row.report_hours,
        clauses=clauses,
        note=Phi(text["note"]),
        agency=Phi(text.get("agency", "")),  # none was asked for at first
        ended_on=row.ended_on,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        standing=rules.standing(row.signed_on, row.valid_until, row.ended_on, clauses, day),
        missing=rules.missing(clauses),
    )


def _services(rows: Sequence[ServiceRow], at: datetime) -> list[Service]:
    day = today(at)
    look = _Look(rows, day)
    attestations: defaultdict[UUID, dict[str, Attestation]] = defaultdict(dict)
    found = AttestationRow.objects.filter(service_id__in=[row.id for row in rows]).order_by("recorded_at")
    for each in found:
        attestations[each.service_id][each.control] = _attestation(each, day)
    return [_service(row, look.why_not(row), attestations[row.id]) for row in rows]


def _service(row: ServiceRow, why_not: Why | None, attestations: Mapping[str, Attestation]) -> Service:
    text = _text(row)
    return Service(
        id=row.id,
        vendor_id=row.vendor_id,
        kind=Kind(row.kind),
        name=Phi(text["name"]),
        address=text["address"],
        may_carry=rules.check_labels(row.may_carry),
        active=row.active,
        attestations=tuple(attestations[each] for each in rules.CONTROLS if each in attestations),
        changed_at=row.changed_at,
        why_not=why_not,
    )


def _attestation(row: AttestationRow, day: date) -> Attestation:
    text = open_sealed("vendors_attestation", row.id, row.sealed)
    return Attestation(
        id=row.id,
        service_id=row.service_id,
        control=Control(row.control),
        by=Phi(text["by"]),
        evidence=Phi(text["evidence"]),
        attested_on=row.attested_on,
        expires_on=row.expires_on,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        holds=row.attested_on <= day <= row.expires_on,
    )


def _text(row: ServiceRow) -> dict[str, Any]:
    return open_sealed("vendors_service", row.id, row.sealed)
