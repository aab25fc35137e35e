"""Staff pages: who works here with which roles, invite, change, take access away."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from salus.identity import api, sign_on
from salus.identity import roles as own
from salus.identity import staff as members
from salus.identity.access import requires, toast
from salus.identity.contracts import Permission, Role
from salus.identity.web.forms import NewPerson, Person
from salus.kernel.errors import BadInput, Conflict

PAGE = 50
"""People on a page."""


@requires(Permission.IDENTITY_STAFF_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def listing(request: HttpRequest) -> HttpResponse:
    """Show the staff; add somebody and show their invitation."""
    form = NewPerson(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actor = request.actor  # type: ignore[attr-defined]
        try:
            member = api.create_staff(
                name=form.cleaned_data["name"],
                email=form.cleaned_data["email"],
                roles=[Role(role) for role in form.cleaned_data["roles"]],
                actor=actor,
            )
        except (BadInput, Conflict) as fault:
            form.add_error(fault.place, fault.what)
        else:
            return _invitation(request, member.id)
    like, after = request.GET.get("like", "").strip()[:120], _id_given(request.GET.get("after", ""))
    found = api.staff_page(like=like, after=after, limit=PAGE + 1)
    names = {role.id: role.name for role in own.every()}
    rows = [
        (each, [*(role.words for role in each.roles), *(names[role] for role in each.own_roles)])
        for each in found[:PAGE]
    ]
    more = urlencode({"like": like, "after": found[PAGE - 1].id}) if len(found) > PAGE else ""
    context = {
        "rows": rows,
        "form": form,
        "by_provider": sign_on.people(),
        "like": like,
        "first_url": f"?{urlencode({'like': like})}" if after else "",
        "next_url": f"?{more}" if more else "",
    }
    return render(request, "identity/staff.html", context)


def _id_given(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@requires(Permission.IDENTITY_STAFF_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, staff_id: UUID) -> HttpResponse:
    """Show and change one person."""
    member = members.get(staff_id)
    actor = request.actor  # type: ignore[attr-defined]
    initial = {
        "name": member.name,
        "roles": [role.value for role in member.roles],
        "own_roles": [str(role) for role in member.own_roles],
        "active": member.active,
    }
    form = Person(request.POST or None, initial=initial)
    form.offer(own.every())
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        roles = [Role(role) for role in given["roles"]]
        own_roles = [UUID(role) for role in given["own_roles"]]
        try:
            api.change_staff(
                staff_id,
                actor=actor,
                name=given["name"],
                roles=roles if set(roles) != set(member.roles) else None,
                own_roles=own_roles if set(own_roles) != set(member.own_roles) else None,
                active=given["active"] if given["active"] != member.active else None,
            )
        except (BadInput, Conflict) as fault:
            form.add_error(fault.place if fault.place in form.fields else None, fault.what)
        else:
            toast(request, "Saved. It holds from the next page they open.")
            return redirect("identity:staff")
    return render(
        request, "identity/person.html", {"person": member, "form": form, "is_me": actor.id == staff_id}
    )


@requires(Permission.IDENTITY_STAFF_MANAGE)
@require_POST
def invite(request: HttpRequest, staff_id: UUID) -> HttpResponse:
    """Make a new invitation: for somebody who lost password or phone, or let the first one run out."""
    return _invitation(request, staff_id)


def _invitation(request: HttpRequest, staff_id: UUID) -> HttpResponse:
    """Show the invitation once, to be handed over; it is in no list and no log."""
    path = api.invite_staff(staff_id, actor=request.actor)  # type: ignore[attr-defined]
    context = {"person": members.get(staff_id), "address": request.build_absolute_uri(path)}
    return render(request, "identity/invitation.html", context)
