"""Patches for tests, written short."""

from __future__ import annotations

from datetime import date
from typing import Any

from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel

CLINICAL, SIGNUP = AddressSource.CLINICAL_ENCOUNTER, AddressSource.WEBSITE_SIGNUP


def email(value: str, source: AddressSource = CLINICAL) -> Address:
    """Return an e-mail address from the front desk."""
    return Address(Channel.EMAIL, Phi(value), source, "front desk", date(2025, 1, 2))


def phone(value: str) -> Address:
    """Return a phone number from the front desk."""
    return Address(Channel.SMS, Phi(value), CLINICAL, "front desk", None)


def patch(
    *addresses: Address,
    mrn: str = "",
    create: bool = True,
    records: Any = None,
    defaults: Any = None,
    adds: Any = None,
    **values: Any,
) -> ContactPatch:
    """Return a patch with a record number and values by attribute key."""
    return ContactPatch(
        identifiers=(Identifier("mrn", Phi(mrn)),) if mrn else (),
        addresses=addresses,
        values=values,
        records=records or {},
        defaults=defaults or {},
        adds=adds or {},
        create=create,
    )
