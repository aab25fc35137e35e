"""Role pages: the built-in ones to look at, the organization's own to make, change, grant and remove."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salus.identity import api, plainly, roles
from salus.identity.access import requires, toast
from salus.identity.contracts import OwnRole, Permission, Role
from salus.kernel.errors import BadInput, Conflict

MAY = Permission.IDENTITY_ROLE_GRANT


class Wanted(forms.Form):
    """A name and any number of permissions."""

    name = forms.CharField(
        label="Name", max_length=60, help_text="What the people do who have it: Front desk."
    )
    wanted = forms.MultipleChoiceField(
        label="It opens",
        choices=[(word.value, plainly.WORDS[word]) for word in roles.OFFERED],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "A role opens something."},
    )


@requires(MAY)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show every role and what it opens."""
    built_in = [(role, plainly.grouped(api.permissions_of([role]))) for role in Role]
    own = [(role, plainly.grouped(role.granted)) for role in roles.every()]
    return render(request, "identity/roles.html", {"built_in": built_in, "own": own})


@requires(MAY)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Make a role."""
    form = Wanted(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = roles.create(
                form.cleaned_data["name"],
                form.cleaned_data["wanted"],
                actor=request.actor,  # type: ignore[attr-defined]
            )
        except (BadInput, Conflict) as fault:
            _say(form, fault)
        else:
            return _done(request, made, "The role is made.")
    return _page(request, form, None)


@requires(MAY)
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, role_id: UUID) -> HttpResponse:
    """Show and change a role."""
    role = roles.get(role_id)
    form = Wanted(
        request.POST or None, initial={"name": role.name, "wanted": [word.value for word in role.wanted]}
    )
    if request.method == "POST" and form.is_valid():
        try:
            changed = roles.change(
                role_id,
                form.cleaned_data["name"],
                form.cleaned_data["wanted"],
                actor=request.actor,  # type: ignore[attr-defined]
            )
        except (BadInput, Conflict) as fault:
            _say(form, fault)
        else:
            return _done(request, changed, "Saved. It holds from the next page they open.")
    return _page(request, form, role)


@requires(MAY)
@require_POST
def grant(request: HttpRequest, role_id: UUID) -> HttpResponse:
    """Grant what waits, as far as one holds it."""
    granted = roles.grant(role_id, actor=request.actor)  # type: ignore[attr-defined]
    return _done(request, granted, "Granted.")


@requires(MAY)
@require_POST
def remove(request: HttpRequest, role_id: UUID) -> HttpResponse:
    """Remove a role that nobody has."""
    roles.remove(role_id, actor=request.actor)  # type: ignore[attr-defined]
    toast(request, "The role is removed.")
    return redirect("identity:roles")


def _page(request: HttpRequest, form: Wanted, role: OwnRole | None) -> HttpResponse:
    mine = roles.lasting(request.actor.id)  # type: ignore[attr-defined]
    ticks = {option.data["value"]: option for option in form["wanted"]}
    rooms = [
        (room, [(ticks[word.value], words, word in mine) for word, words in pairs])
        for room, pairs in plainly.grouped(roles.OFFERED)
    ]
    waiting = role.waiting if role else ()
    context = {
        "form": form,
        "role": role,
        "rooms": rooms,
        "waiting": [plainly.WORDS[word] for word in waiting],
        "mine": sum(word in mine for word in waiting),
        "tasks": roles.tasks_with(role) if role else None,
    }
    return render(request, "identity/role.html", context)


def _done(request: HttpRequest, role: OwnRole, said: str) -> HttpResponse:
    left = len(role.waiting)
    toast(
        request,
        f"{said} {left} of {len(role.wanted)} permissions wait for somebody who holds them."
        if left
        else said,
    )
    return redirect("identity:role", role.id)


def _say(form: Wanted, fault: BadInput | Conflict) -> None:
    said = " ".join(part for part in (fault.what, fault.next_step) if part)
    form.add_error(fault.place if fault.place in form.fields else None, said)
