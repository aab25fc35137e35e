"""The copies that a person gets besides JSON: a FHIR bundle for programs and a PDF to read (45 CFR 164.524(c)(2))."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from salus.identity import api as identity
from salus.kernel.acting import Actor
from salus.privacy import exports, fhir, paper


def export_fhir(request_id: UUID, *, actor: Actor, at: datetime) -> bytes:
    """Return a FHIR R4 Bundle as JSON (application/fhir+json) of the person who asked; recorded as `export` is.

    Give it a file name without the person's name. Raises as `export` does.
    """
    zone = ZoneInfo(identity.organization().time_zone)
    return orjson.dumps(fhir.bundle(exports.export(request_id, actor=actor, at=at), zone))


def export_pdf(request_id: UUID, *, actor: Actor, at: datetime) -> bytes:
    """Return a tagged PDF in the person's language, English unless it is Spanish; recorded as `export` is.

    Give it a file name without the person's name. Raises as `export` does.
    """
    house = identity.organization()
    found = exports.export(request_id, actor=actor, at=at)
    return paper.printed(found, house.name, ZoneInfo(house.time_zone))
