"""FHIR R4 Coverage: who insures the patient, and by which kind of plan."""

from __future__ import annotations

from collections.abc import Mapping

from salus.contacts import api as contacts
from salus.intake.fhir.facts import (
    ENTERED_IN_ERROR,
    Context,
    Facts,
    Resource,
    code_of,
    first_day,
    id_of,
    one_record,
    patient_of,
    text_of,
    without_empty,
)

_SOURCE_OF_PAYMENT: Mapping[str, str] = {
    "1": "medicare",
    "11": "medicare",
    "111": "medicare_advantage",
    "2": "medicaid",
    "23": "chip",
    "3": "military",
    "33": "other_public",
    "4": "other_public",
    "5": "commercial",
    "6": "commercial",
    "7": "commercial",
    "81": "self_pay",
    "82": "none",
}
"""Source of Payment Typology (PHDSC), longest prefix first."""

_ACT_CODES: Mapping[str, str] = {
    "MCPOL": "commercial",
    "HMO": "commercial",
    "PPO": "commercial",
    "POS": "commercial",
    "EHCPOL": "commercial",
    "HIP": "commercial",
    "PUBLICPOL": "other_public",
    "SUBSIDIZ": "medicaid",
    "MILITARY": "military",
    "VET": "military",
    "SELFPAY": "self_pay",
    "PAY": "self_pay",
}
"""Codes of v3-ActCode for coverage types."""

_WORDS = (
    ("medicare advantage", "medicare_advantage"),
    ("medicare", "medicare"),
    ("medicaid", "medicaid"),
    ("children's health insurance", "chip"),
    ("tricare", "military"),
    ("veteran", "military"),
    ("marketplace", "marketplace"),
    ("self-pay", "self_pay"),
    ("self pay", "self_pay"),
    ("no_insurance", "none"),
    ("uninsured", "none"),
)


def insurance_type(resource: Resource, payer: str) -> str | None:
    """Return our code for the kind of plan, by its codes and then by words, or None."""
    concept = resource.get("type")
    code = code_of(concept)
    for length in (3, 2, 1):
        if code.isdigit() and code[:length] in _SOURCE_OF_PAYMENT:
            return _SOURCE_OF_PAYMENT[code[:length]]
    if code.upper() in _ACT_CODES:
        return _ACT_CODES[code.upper()]
    known = contacts.CODE_LISTS["insurance_type"].code_of(text_of(concept))
    if known:
        return known
    words = f"{text_of(concept)} {payer}".lower()
    return next((found for word, found in _WORDS if word in words), "commercial" if payer else None)


def read(resource: Resource, context: Context) -> Facts | None:
    """Read a Coverage: a record, and while it is active the insurance attributes."""
    patient = patient_of(resource.get("beneficiary"))
    status = str(resource.get("status", ""))
    if status == ENTERED_IN_ERROR:
        return one_record(patient, "coverages", {"id": id_of(resource), "status": status})
    period = resource.get("period") or {}
    payer = next((str(one["display"]) for one in resource.get("payor", ()) if one.get("display")), "")
    kind = insurance_type(resource, payer)
    record = without_empty(
        {"id": id_of(resource)},
        text=payer or kind,
        unit=kind,
        date=first_day(period.get("start")),
        end=first_day(period.get("end")),
        status=status,
    )
    facts = one_record(patient, "coverages", record)
    ended = (record.get("end") or "9999") < context.today.isoformat()
    if status == "active" and not ended:
        facts.set("insurance_type", kind)
        facts.set("insurance_payer", payer)
    return facts
