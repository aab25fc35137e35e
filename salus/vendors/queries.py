"""Reads of the register: vendors with agreements and services, and whether a service is in scope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from salus.identity import api as identity
from salus.kernel.errors import NotFound
from salus.kernel.phi import Phi
from salus.vendors import rules
from salus.vendors.contracts import Agreement, Clause, Kind, Label, OutOfScope, Service, Vendor, Why
from salus.vendors.models import AgreementRow, ServiceRow, VendorRow
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
    not ended and not expired, or one of the classes (or special categories) is beyond its scope.
    """
    row = ServiceRow.objects.filter(id=service_id).first()
    if row is None:
        raise _out_of_scope(Why.UNKNOWN)
    agreements = _agreements([row.vendor_id], at).get(row.vendor_id, ())
    why = _why_not(row, agreements, classes)
    if why is not None:
        raise _out_of_scope(why)
    return _service(row, agreements)


def secrets(row: ServiceRow, at: datetime) -> tuple[bytes, ...]:
    """Return the secrets that sign at `at`, newest first: the one before signs along for a while."""
    found: list[dict[str, str]] = _text(row)["secrets"]
    newest, *older = found
    return tuple(
        bytes.fromhex(each["secret"])
        for each in (newest, *(old for old in older if datetime.fromisoformat(old["until"]) > at))
    )


def _out_of_scope(why: Why) -> OutOfScope:
    what, next_step = rules.WORDS[why]
    return OutOfScope(why, what, next_step=next_step)


def _vendors(rows: Iterable[VendorRow], at: datetime) -> list[Vendor]:
    found = list(rows)
    ids = [row.id for row in found]
    agreements = _agreements(ids, at)
    services: defaultdict[UUID, list[Service]] = defaultdict(list)
    for service in ServiceRow.objects.filter(vendor_id__in=ids).order_by("created_at"):
        services[service.vendor_id].append(_service(service, agreements.get(service.vendor_id, ())))
    return [_vendor(row, agreements.get(row.id, ()), services[row.id]) for row in found]


def _vendor(row: VendorRow, agreements: Sequence[Agreement], services: Sequence[Service]) -> Vendor:
    text = open_sealed("vendors_vendor", row.id, row.sealed)
    return Vendor(
        id=row.id,
        name=Phi(text["name"]),
        note=Phi(text["note"]),
        agreements=tuple(agreements),
        services=tuple(services),
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
    return Agreement(
        id=row.id,
        vendor_id=row.vendor_id,
        signed_on=row.signed_on,
        valid_until=row.valid_until,
        agent=row.agent,
        report_hours=row.report_hours,
        clauses=clauses,
        note=Phi(open_sealed("vendors_agreement", row.id, row.sealed)["note"]),
        ended_on=row.ended_on,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        standing=rules.standing(row.signed_on, row.valid_until, row.ended_on, clauses, day),
        missing=rules.missing(clauses),
    )


def _services(rows: Sequence[ServiceRow], at: datetime) -> list[Service]:
    agreements = _agreements({row.vendor_id for row in rows}, at)
    return [_service(row, agreements.get(row.vendor_id, ())) for row in rows]


def _service(row: ServiceRow, agreements: Sequence[Agreement]) -> Service:
    text = _text(row)
    return Service(
        id=row.id,
        vendor_id=row.vendor_id,
        kind=Kind(row.kind),
        name=Phi(text["name"]),
        address=text["address"],
        may_carry=rules.check_labels(row.may_carry),
        active=row.active,
        changed_at=row.changed_at,
        why_not=_why_not(row, agreements),
    )


def _why_not(row: ServiceRow, agreements: Sequence[Agreement], asked: Iterable[Label] = ()) -> Why | None:
    return rules.why_not(
        active=row.active,
        may_carry=rules.check_labels(row.may_carry),
        agreements=[(each.standing, each.clauses) for each in agreements],
        asked=asked,
    )


def _text(row: ServiceRow) -> dict[str, Any]:
    return open_sealed("vendors_service", row.id, row.sealed)
