"""The page of the protection policy, and the panel with what one person asks for."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST

from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.time import SystemClock
from salus.kernel.vocabulary import Protection
from salus.safeguards import api
from salus.safeguards.web import wording

CLOCK = SystemClock()
_NOTHING_MORE = "none"


class PolicyForm(forms.Form):
    """A policy's text, and the number of the one its author saw."""

    text = forms.CharField(
        label="The policy",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "class": "mono"}),
        help_text="In TOML. All conditions of a rule must hold; of a list any one will do.",
    )
    after = forms.IntegerField(widget=forms.HiddenInput)


@requires(Permission.ORGANIZATION_SETTINGS_READ)
@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: HttpRequest) -> HttpResponse:
    """Show the policy in force; save another one."""
    saved = api.saved()
    newest = saved[0] if saved else None
    number = newest.number if newest else 0
    form = PolicyForm(initial={"text": newest.text if newest else wording.EXAMPLE, "after": number})
    status = 200
    if request.method == "POST":
        form = PolicyForm(request.POST)
        status = 422
        if form.is_valid():
            given = form.cleaned_data
            try:
                with transaction.atomic():
                    api.save(given["text"], after=given["after"], actor=_actor(request), at=CLOCK.now())
            except BadInput as fault:
                form.add_error("text", " ".join(filter(None, (fault.what, fault.next_step))))
            except Conflict as fault:
                form = PolicyForm({**given, "after": number})  # now they have seen it
                form.add_error(None, str(fault))
                status = 409
            else:
                toast(request, "Saved. Messages that wait are held against it before they go.")
                return redirect("safeguards:policy")
    names = identity.staff_names({each.saved_by for each in saved if each.saved_by})
    context = {
        "rules": [
            {"name": rule.name, "what": wording.condition(rule), "level": wording.LEVELS[rule.protect]}
            for rule in api.policy().rules
        ],
        "marks": wording.marks(),
        "form": form,
        "history": [
            {"saved": each, "by": names.get(each.saved_by, "") if each.saved_by else "the system"}
            for each in saved
        ],
    }
    return render(request, "safeguards/policy.html", context, status=status)


class WishForm(forms.Form):
    """What a person asks for at least."""

    level = forms.ChoiceField(
        label="Protection",
        choices=[
            (level.name.lower() if level else _NOTHING_MORE, said) for level, said in wording.WISHES.items()
        ],
    )

    def wish(self) -> Protection | None:
        """Return the level, None for nothing more than the law asks for."""
        word = self.cleaned_data["level"]
        return None if word == _NOTHING_MORE else Protection[word.upper()]


def wish_panel(request: HttpRequest, contact_id: UUID) -> SafeString | None:
    """Render what a person asks for, for their page; None for those who may not see it."""
    permissions = _actor(request).permissions
    if Permission.PERMISSIONS_ENTRY_READ not in permissions:
        return None
    wish = api.wishes([contact_id]).get(contact_id)
    context = {
        "contact_id": contact_id,
        "said": wording.WISHES[wish],
        "asks": _asks(wish) if Permission.PERMISSIONS_ENTRY_WRITE in permissions else None,
    }
    return render_to_string("safeguards/panel.html", context, request)


@lru_cache(maxsize=len(wording.WISHES))
def _asks(wish: Protection | None) -> SafeString:
    """Return the field with what is asked for now: half of what the panel costs, and one of a handful."""
    form = WishForm(initial={"level": wish.name.lower() if wish else _NOTHING_MORE})
    return render_to_string("safeguards/asks.html", {"form": form})


@requires(Permission.PERMISSIONS_ENTRY_WRITE)
@require_POST
def wish(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Note what a person asks for."""
    if contact_id not in contacts.versions([contact_id]):
        raise NotFound
    form = WishForm(request.POST)
    if form.is_valid():
        api.set_wish(contact_id, form.wish(), actor=_actor(request), at=CLOCK.now())
        toast(request, "Saved. It holds for everything that is not handed over yet.")
    else:
        toast(request, "Nothing was changed: choose one of the levels.")
    return redirect("contacts:show", contact_id)


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
