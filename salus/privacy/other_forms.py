"""The forms in which a person gets their copy: JSON, a FHIR bundle for programs, a PDF to read (45 CFR 164.524(c)(2))."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import orjson

from salus.identity import api as identity
from salus.privacy import fhir, paper
from salus.privacy.contracts import Form


def in_form(document: bytes, form: Form) -> bytes:
    """Return a copy, which is the JSON of `export`, in another form of the organization in context.

    FHIR is an R4 Bundle as JSON; a PDF is tagged and in the person's language, English unless it is Spanish.
    Raises `Unavailable` for a PDF that cannot be set.
    """
    if form is Form.JSON:
        return document
    house, found = identity.organization(), orjson.loads(document)
    zone = ZoneInfo(house.time_zone)
    if form is Form.FHIR:
        return orjson.dumps(fhir.bundle(found, zone))
    return paper.printed(found, house.name, zone)
