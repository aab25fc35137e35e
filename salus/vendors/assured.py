"""Reads what was recorded about how vendors keep their word, for many vendors at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from salus.kernel.phi import Phi
from salus.vendors.contracts import Duty, Owner, Responsibility, Subcontractor, Verification
from salus.vendors.models import ResponsibilityRow, SubcontractorRow, VerificationRow
from salus.vendors.sealing import open_sealed


@dataclass(slots=True)
class Assured:
    """What was recorded about one vendor."""

    verification: Verification | None = None
    subcontractors: list[Subcontractor] = field(default_factory=list)
    responsibilities: dict[Duty, Responsibility] = field(default_factory=dict)


def assured(vendor_ids: Collection[UUID], day: date) -> Mapping[UUID, Assured]:
    """Return what was recorded about each of these vendors, as it stands on `day`."""
    found: defaultdict[UUID, Assured] = defaultdict(Assured)
    verifications = VerificationRow.objects.filter(vendor_id__in=vendor_ids)
    newest = verifications.order_by("organization_id", "vendor_id", "-recorded_at")
    for row in newest.distinct("organization_id", "vendor_id"):
        found[row.vendor_id].verification = _verification(row)
    present = SubcontractorRow.objects.filter(vendor_id__in=vendor_ids, left_at=None)
    for each in present.order_by("created_at"):
        found[each.vendor_id].subcontractors.append(_subcontractor(each, day))
    for duty in ResponsibilityRow.objects.filter(vendor_id__in=vendor_ids):
        found[duty.vendor_id].responsibilities[Duty(duty.duty)] = _responsibility(duty)
    return found


def _verification(row: VerificationRow) -> Verification:
    text = open_sealed("vendors_verification", row.id, row.sealed)
    return Verification(
        id=row.id,
        by=Phi(text["by"]),
        evidence=Phi(text["evidence"]),
        verified_on=row.verified_on,
        next_on=row.next_on,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
    )


def _subcontractor(row: SubcontractorRow, day: date) -> Subcontractor:
    text = open_sealed("vendors_subcontractor", row.id, row.sealed)
    return Subcontractor(
        id=row.id,
        vendor_id=row.vendor_id,
        name=Phi(text["name"]),
        does=Phi(text["does"]),
        proof=Phi(text["proof"]),
        seen_on=row.seen_on,
        next_on=row.next_on,
        holds=row.next_on is not None and day <= row.next_on,
    )


def _responsibility(row: ResponsibilityRow) -> Responsibility:
    text = open_sealed("vendors_responsibility", row.id, row.sealed)
    return Responsibility(Duty(row.duty), Owner(row.owner), Phi(text["who"]))
