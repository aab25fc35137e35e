"""The receipt of one message as a page and as a file, and taking a message back from the portal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from salus.delivery import api
from salus.delivery.contracts import RecallReason, Receipt, State, ToldReceipt
from salus.delivery.web import wording
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound
from salus.kernel.time import SystemClock
from salus.sealedmail import api as sealedmail

CLOCK = SystemClock()
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RECALLABLE = frozenset({State.PORTAL, State.PORTAL_UNNOTIFIED, State.OPENED})


class Recalling(forms.Form):
    """Why a message is taken back."""

    reason = forms.ChoiceField(
        label="Why?",
        choices=[("", "Choose a reason"), *wording.RECALLS.items()],
        error_messages={"required": "Say why: it is kept with the receipt."},
    )


@requires(Permission.DELIVERY_RECEIPT_READ)
@require_safe
def receipt(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Show the whole proof of one message; the seal only when it was just found in the log, unchanged."""
    told = api.told_receipt(message_id, actor=_actor(request))
    return render(request, "delivery/receipt.html", _shown(request, told))


@requires(Permission.DELIVERY_RECEIPT_READ)
@require_safe
def proof(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Answer with what proves the message's steps to a stranger (`docs/receipts.md`)."""
    found = api.told_receipt(message_id, actor=_actor(request)).receipt
    return HttpResponse(
        orjson.dumps(found.proof, option=orjson.OPT_INDENT_2),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="receipt-{message_id}.json"'},
    )


@requires(Permission.DELIVERY_MESSAGE_RECALL)
@require_http_methods(["GET", "HEAD", "POST"])
def recall(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Ask whether to take a message back from the portal, and do it."""
    form = Recalling(request.POST if request.method == "POST" else None)
    if form.is_valid():
        reason = RecallReason(form.cleaned_data["reason"])
        api.recall(message_id, reason=reason, actor=_actor(request), at=CLOCK.now())
        toast(request, "The message is recalled. Nobody can read it from now on; its receipt stays.")
        return redirect("delivery:receipt", message_id)
    found = api.receipt(message_id)
    context = {
        "receipt": found,
        "short": short(message_id),
        "possible": found.state in RECALLABLE,
        "form": form,
        "kept_days": api.portal_rule().kept_days,
    }
    return render(request, "delivery/recall.html", context, status=422 if form.is_bound else 200)


def short(message_id: UUID) -> str:
    """Return a name for a receipt that people can say: 40 bits of its id, in Crockford's alphabet."""
    value = message_id.int & (1 << 40) - 1
    letters = "".join(_ALPHABET[value >> shift & 31] for shift in range(35, -1, -5))
    return f"R-{letters[:4]}-{letters[4:]}"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of what happened."""

    at: datetime
    kind: str
    glyph: str
    what: str
    note: str = ""


def _shown(request: HttpRequest, told: ToldReceipt) -> dict[str, Any]:
    found = told.receipt
    kind, state = wording.STATES[found.state]
    return {
        "told": told,
        "receipt": found,
        "short": short(found.message_id),
        "kind": kind,
        "state": state,
        "about": wording.ABOUT.get(found.origin.kind) or wording.BY_CHANNEL[found.channel],
        "level": wording.LEVELS.get(found.reached, ("", "", "")),
        "floor": wording.LEVELS.get(found.floor, ("", "", ""))[1],
        "why": list(api.protected_so(found)),
        "key_print": _fingerprint(request, found),
        "signed_by": _signer(str(found.proof["verifier_key"])) if found.proof else "",
        "peer": wording.PEERS.get(str(found.tls.get("peer", "")), ("", "")),
        "why_not": told.refusal.sentence if told.refusal else api.plain_reason(found.reason),
        "elements": _elements(told),
        "element_laws": list(dict.fromkeys(_laws(told))),
        "steps": sorted(_course(told), key=lambda step: step.at),
        "last": found.proof["steps"][-1] if found.proof else None,
        "may_recall": found.state in RECALLABLE
        and Permission.DELIVERY_MESSAGE_RECALL in _actor(request).permissions,
        "allowed": found.state is not State.REFUSED,
        "settled": found.state in {State.BOUNCED, State.GAVE_UP, State.CANCELLED},
    }


def _signer(verifier_key: str) -> str:
    """Return the key's four bytes, by which a signature line names it (C2SP signed-note)."""
    return f"Ed25519, key {verifier_key.split('+')[1]}"


def _fingerprint(request: HttpRequest, found: Receipt) -> str:
    """Return the fingerprint of the reader's key, for those who may see keys; empty when it was erased."""
    if not found.key.get("id") or Permission.SEALEDMAIL_KEY_READ not in _actor(request).permissions:
        return ""
    try:
        return sealedmail.key(UUID(found.key["id"]), CLOCK.now()).fingerprint.reveal()
    except NotFound:
        return ""


def _elements(told: ToldReceipt) -> list[str]:
    return [wording.ELEMENTS.get(code, code.replace("_", " ")) for code in told.receipt.elements]


def _laws(told: ToldReceipt) -> Iterable[str]:
    """Yield the citations of what is required in the message, one by one."""
    for element in told.elements:
        for citation in element.citations:
            yield from citation.split("; ")


def _course(told: ToldReceipt) -> Iterable[Step]:
    """Yield what happened, from the plan to the reader."""
    found = told.receipt
    if found.state is State.REFUSED:
        yield Step(found.decided_at, "refuse", "bar", "Planned, not allowed")
    else:
        yield Step(found.decided_at, "clear", "check", "The gate allowed it", f"Rules {found.rules_version}")
    if told.origin and told.origin.approved_at and found.state is not State.REFUSED:
        yield Step(told.origin.approved_at, "clear", "sign", "Approved", told.approved_by)
    for facts in found.steps:
        yield _step(facts)
    yield from _in_portal(found)
    for event in found.events:
        said = wording.EVENTS.get(event.kind)
        if said:
            glyph, what = said
            by = wording.FETCHED.get(str(event.details.get("by", "")), "")
            yield Step(event.at, "", glyph, what, by)


def _step(facts: Mapping[str, Any]) -> Step:
    state = State(str(facts["state"]))
    kind, glyph, what = wording.STEPS.get(state, ("", "next", wording.STATES[state][1]))
    if facts.get("reported"):
        what = "It came back: reported as not delivered"
    notes = []
    if facts.get("attempt", 0) > 1:
        notes.append(f"Attempt {facts['attempt']}")
    if facts.get("reason"):
        notes.append(api.plain_reason(str(facts["reason"])))
    if facts.get("uncertain"):
        notes.append("It may have arrived twice")
    return Step(datetime.fromisoformat(str(facts["at"])), kind, glyph, what, ". ".join(notes))


def _in_portal(found: Receipt) -> Iterable[Step]:
    stay = found.deposit
    if stay is None:
        return
    if stay.recalled_at:
        yield Step(
            stay.recalled_at, "refuse", "hide", "Recalled", wording.RECALLS.get(stay.recall_reason, "")
        )
    elif found.state is State.EXPIRED:
        yield Step(stay.expires_at, "", "clock", "Expired in the portal")
    if stay.erased_at:
        yield Step(stay.erased_at, "", "hide", "Its words and files were erased", "This receipt stays")


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
