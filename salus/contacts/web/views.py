"""Pages: the list of contacts with its search, one contact, reveal and mask."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST, require_safe

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api
from salus.contacts.web import showing
from salus.contacts.web.forms import GROUPS, PURPOSES, Reveal, Search, fields_of
from salus.contacts.web.panels import panels_of
from salus.identity.api import requires
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.vocabulary import Channel
from salus.platform.web.templatetags.salus import contact_number

PAGE = 50
COUNTED = 10_000
"""People are counted so far and no farther: a million would take longer than the page."""
REVEALED_FOR = 5 * 60
"""Seconds for which a reveal lasts."""
IDENTIFIERS = ("mrn", "member", "fhir")
"""Which identifiers a search tries."""


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks; `requires` has set it."""
    return cast("Actor", request.actor)  # type: ignore[attr-defined]


@requires(Permission.CONTACTS_RECORD_READ)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show the newest contacts, masked."""
    after = request.GET.get("before", "")
    found = api.recent(PAGE + 1, showing.parse_number(after))
    shown = found[:PAGE]
    more = f"?before={shown[-1][1]}" if len(found) > PAGE else ""
    context = {"form": Search(), "total": _total(), "first_url": "?" if after else "", "next_url": more}
    return render(
        request, "contacts/list.html", {**context, "rows": _rows(request, [one[0] for one in shown])}
    )


def _rows(request: HttpRequest, ids: list[UUID]) -> list[dict[str, Any]]:
    if not ids:
        return []
    opened = api.open_fields(
        ids=ids, fields=showing.ROW_FIELDS, purpose="operations", actor=actor_of(request)
    )
    return [
        {"id": one.id, "number": contact_number(one.number), **showing.row_of(one)}
        for one in reversed(opened)
    ]


@requires(Permission.CONTACTS_RECORD_READ)
@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """Find somebody by a whole e-mail address, phone number, record number or contact number."""
    form = Search(request.POST)
    ids: list[UUID] = []
    if form.is_valid():
        ids = _find(form.cleaned_data["q"])
        audit.record(
            Action.CONTACT_SEARCH,
            actor=actor_of(request),
            object_kind="contact",
            details={"found": len(ids)},
        )
        if len(ids) == 1:
            return redirect("contacts:show", ids[0])
        if not ids:
            form.add_error(
                "q", "Nobody here has this. Write it whole: parts of a name or address find nobody."
            )
    context = {"form": form, "rows": _rows(request, ids), "found": len(ids), "total": _total()}
    return render(request, "contacts/list.html", context)


def _total() -> int | str:
    """Return how many people there are, in words where it is a crowd."""
    total = api.count(COUNTED + 1)
    return total if total <= COUNTED else f"More than {COUNTED:,}"


def _find(text: str) -> list[UUID]:
    found: dict[UUID, None] = {}
    number = showing.parse_number(text)
    named = [api.find_by_number(number)] if number is not None else []
    named += [api.find_by_identifier(system, text) for system in IDENTIFIERS]
    found.update(dict.fromkeys(one for one in named if one is not None))
    channel = Channel.EMAIL if "@" in text else Channel.SMS
    with suppress(BadInput):  # it is no address; it may have been a number
        found.update(dict.fromkeys(api.find_by_address(channel, text)))
    return list(found)


@requires(Permission.CONTACTS_RECORD_READ)
@require_GET
def show(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Show one contact: masked, and what was revealed while that lasts; a merged one leads to who it is now."""
    try:
        return _page(request, contact_id, Reveal())
    except NotFound:
        on = api.survivors([contact_id])
        if not on:
            raise
    return redirect("contacts:show", on[contact_id])


def _page(request: HttpRequest, contact_id: UUID, form: Reveal) -> HttpResponse:
    actor = actor_of(request)
    one = api.open_one(contact_id, fields=showing.ROW_FIELDS, purpose="operations", actor=actor)
    revealed = _revealed(request, contact_id)
    lines: list[showing.Line] = []
    if revealed:
        fields = fields_of(revealed["groups"])
        full = api.open_one(contact_id, fields=fields, purpose=revealed["purpose"], actor=actor)
        lines = list(showing.lines_of(full, fields))
    context = {
        "contact_id": contact_id,
        "number": contact_number(one.number),
        "row": showing.row_of(one),
        "asks": _asks(form) if form.is_bound else _empty(),
        "lines": lines,
        "revealed": revealed,
        "masked": [
            label for key, (label, _) in GROUPS.items() if not revealed or key not in revealed["groups"]
        ],
        "panels": panels_of(request, contact_id),
        "may_reveal": Permission.CONTACTS_PHI_REVEAL in actor.permissions,
    }
    return render(request, "contacts/contact.html", context)


def _asks(form: Reveal) -> SafeString:
    return render_to_string("contacts/asks.html", {"form": form})


@lru_cache(maxsize=1)
def _empty() -> SafeString:
    """Return the fields that nobody filled in: they are a third of what the page costs, and always the same."""
    return _asks(Reveal())


def _revealed(request: HttpRequest, contact_id: UUID) -> dict[str, Any] | None:
    """Return what is revealed now of this contact to this session: field groups and purpose, no values."""
    kept = request.session.get("revealed", {}).get(str(contact_id))
    if not kept or Permission.CONTACTS_PHI_REVEAL not in actor_of(request).permissions:
        return None
    until = parse_datetime(kept["until"])
    left = (until - timezone.now()).total_seconds() if until else 0
    if left <= 0:
        return None
    minutes, seconds = divmod(int(left), 60)
    return {**kept, "left": f"{minutes}:{seconds:02d}", "why": PURPOSES[kept["purpose"]].lower()}


@requires(Permission.CONTACTS_PHI_REVEAL)
@require_POST
def reveal(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Open fields of one contact for a purpose; it is written in the log and lasts five minutes."""
    form = Reveal(request.POST)
    if not form.is_valid():
        return _page(request, contact_id, form)
    groups, purpose = form.cleaned_data["groups"], form.cleaned_data["purpose"]
    api.open_one(
        contact_id, fields=fields_of(groups), purpose=purpose, actor=actor_of(request), revealed=True
    )
    until = timezone.now() + timedelta(seconds=REVEALED_FOR)
    kept = dict(list(request.session.get("revealed", {}).items())[-20:])
    kept[str(contact_id)] = {"groups": groups, "purpose": purpose, "until": until.isoformat()}
    request.session["revealed"] = kept
    return redirect("contacts:show", contact_id)


@requires(Permission.CONTACTS_RECORD_READ)
@require_POST
def mask(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Mask a contact again before the five minutes are over; one that is not there reads like any that is not."""
    if not api.versions([contact_id]):
        raise NotFound
    kept = dict(request.session.get("revealed", {}))
    kept.pop(str(contact_id), None)
    request.session["revealed"] = kept
    return redirect("contacts:show", contact_id)
