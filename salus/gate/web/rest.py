"""For programs (the health record, a portal of their own): decide on facts that they bring."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest
from ninja import Router

from salus.gate import api
from salus.identity.api import api_key_auth
from salus.identity.contracts import Idempotency, Permission
from salus.kernel.errors import BadInput

router = Router(tags=["gate"])
_auth = api_key_auth(Permission.GATE_DECIDE_RUN, idempotency=Idempotency.READS)


@router.post("/gate/decide", auth=_auth)
def decide(request: HttpRequest) -> list[dict[str, Any]]:
    """Decide one case or a list of cases, and return a decision for each person in order.

    The body is what `GET /gate/schema` describes. Nothing is stored but an entry in the audit log.
    """
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError) as fault:
        raise BadInput("is not JSON", place="body") from fault
    return api.decide_document(document, actor=request.actor)  # type: ignore[attr-defined]


@router.get("/gate/schema", auth=_auth)
def schema(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON Schema of what `decide` takes."""
    return api.facts_schema()


@router.get("/gate/codes/{path:code}", auth=_auth)
def explain(request: HttpRequest, code: str) -> dict[str, Any]:
    """Return what a reason, rule, gate, element or ruling means, with its citation and what to do next."""
    found = api.explain(code)
    return {
        "code": found.code,
        "sentence": found.sentence,
        "citations": list(found.citations),
        "next_step": found.next_step,
    }
