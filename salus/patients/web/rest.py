"""For programs (a kiosk, the health record): hand out a sign-in code."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from salus.identity.api import api_key_auth
from salus.identity.contracts import Permission
from salus.patients import api

router = Router(tags=["patients"])


class Code(Schema):
    """A sign-in code and until when it works."""

    code: str
    until: datetime


@router.post("/patients/{contact_id}/code", response=Code, auth=api_key_auth(Permission.PATIENTS_CODE_ISSUE))
def issue_code(request: HttpRequest, contact_id: UUID) -> Code:
    """Make a code for a patient whose identity the caller has checked; an earlier code stops working."""
    issued = api.issue_code(contact_id, actor=request.actor)  # type: ignore[attr-defined]
    return Code(code=issued.code.reveal(), until=issued.until)
