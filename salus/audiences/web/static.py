"""Static segments as lists: made with what they tell, people put in and taken out by record number."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from salus.audiences import api
from salus.audiences.contracts import Segment
from salus.audiences.web import draft as drafts
from salus.audiences.web import panel
from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.vocabulary import PhiClass, Special
from salus.platform.web.given import number_given

PAGE = 50
MOST = 1_000
IDENTIFIERS = ("mrn", "member", "fhir")
"""What a record number may be, as a search of contacts has it."""


class NewList(forms.Form):
    """Name, and what being on it tells of a person."""

    name = forms.CharField(
        label="Name",
        max_length=120,
        help_text="For you and your colleagues. It is kept sealed, like the people in it.",
    )
    tells = forms.MultipleChoiceField(
        label="Being on this list tells of a person",
        choices=[(one.value, one.value.replace("_", " ").capitalize()) for one in PhiClass],
        widget=forms.CheckboxSelectMultiple,
        help_text="The gate goes by it, and it stays as it is. A list of people who want the newsletter tells of engagement.",
        error_messages={"required": "Choose at least one. If it tells nothing of health: Engagement."},
    )
    specials = forms.MultipleChoiceField(
        label="It tells of what law protects further",
        choices=[(one.value, words[0].upper() + words[1:]) for one, words in panel.SPECIALS.items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )


class Name(forms.Form):
    """Another name."""

    name = forms.CharField(label="Name", max_length=120)
    version = forms.IntegerField(widget=forms.HiddenInput)


class People(forms.Form):
    """Record numbers, one a line."""

    numbers = forms.CharField(
        label="Record numbers",
        widget=forms.Textarea({"rows": 4, "spellcheck": "false", "class": "mono"}),
        max_length=150 * MOST,
        help_text=f"One a line, up to {MOST:,}.",
    )

    def clean_numbers(self) -> list[str]:
        """Return the lines, without the empty ones at the end."""
        lines = [line.strip() for line in str(self.cleaned_data["numbers"]).splitlines()]
        if len(lines) > MOST:
            raise forms.ValidationError(f"These are more than {MOST:,} lines. Nothing was changed.")
        return lines


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks; `requires` has set it."""
    return cast("Actor", request.actor)  # type: ignore[attr-defined]


@requires(Permission.SEGMENTS_SEGMENT_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Begin a list."""
    form = NewList(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = api.create_static(
                form.cleaned_data["name"],
                actor_of(request),
                tells=[PhiClass(one) for one in form.cleaned_data["tells"]],
                specials=[Special(one) for one in form.cleaned_data["specials"]],
            )
        except BadInput as fault:
            form.add_error("name", fault.what)
        else:
            toast(request, "The list is made.")
            return redirect("audiences:segment", made.id)
    return render(request, "audiences/new_static.html", {"form": form})


def page(
    request: HttpRequest, segment: Segment, *, name: Name | None = None, people: People | None = None
) -> HttpResponse:
    """Show a list: its count, what it tells, who is on it for who may know, forms for who may change it."""
    actor = actor_of(request)
    may_see = Permission.CAMPAIGNS_RECIPIENTS_READ in actor.permissions
    after = number_given(request.GET.get("after", "")) or 0
    members = api.look_at_members(segment.id, actor=actor, after=after, limit=PAGE) if may_see else []
    context = {
        "segment": segment,
        "result": panel.result(drafts.of_segment(segment)),
        "listed": len(api.static_members(segment.id)),
        "may_edit": Permission.SEGMENTS_SEGMENT_EDIT in actor.permissions,
        "may_change": _may_change(actor),
        "may_see": may_see,
        "members": members,
        "first_url": "?" if after else "",
        "next_url": f"?after={members[-1][0]}" if len(members) == PAGE else "",
        "name": name or Name(initial={"name": segment.name.reveal(), "version": segment.version}),
        "people": people or People(),
    }
    return render(request, "audiences/static.html", context)


def _may_change(actor: Actor) -> bool:
    """Return whether `actor` may put people in: that tells which record numbers are here."""
    return {Permission.SEGMENTS_SEGMENT_EDIT, Permission.CONTACTS_RECORD_READ} <= actor.permissions


@requires(Permission.SEGMENTS_SEGMENT_EDIT)
@require_POST
def rename(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Give a list another name."""
    segment, form = _static(segment_id), Name(request.POST)
    if form.is_valid():
        try:
            api.save_segment(
                form.cleaned_data["name"],
                segment.tree,
                actor_of(request),
                segment_id=segment_id,
                version=form.cleaned_data["version"],
            )
        except (BadInput, Conflict) as fault:
            form.add_error("name", fault.what)
        else:
            toast(request, "The list has its new name.")
            return redirect("audiences:segment", segment_id)
    return page(request, segment, name=form)


@requires(Permission.SEGMENTS_SEGMENT_EDIT)
@require_POST
def change(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Put people in, or take them out, by record number; or take out the one whose button was pressed."""
    actor = actor_of(request)
    identity.require(actor, Permission.CONTACTS_RECORD_READ)
    segment = _static(segment_id)
    one = number_given(request.POST.get("number", ""))
    if one is not None:
        return _done(request, segment, "taken out", api.remove_members(segment_id, [one], actor))
    form = People(request.POST)
    if not form.is_valid():
        return page(request, segment, people=form)
    numbers, unknown = _numbers_of(form.cleaned_data["numbers"])
    if unknown:
        form.add_error("numbers", _nobody(unknown))
        return page(request, segment, people=form)
    if request.POST.get("act") == "remove":
        return _done(request, segment, "taken out", api.remove_members(segment_id, numbers, actor))
    return _done(request, segment, "put in", api.add_members(segment_id, numbers, actor))


def _static(segment_id: UUID) -> Segment:
    segment = api.segment(segment_id)
    if not segment.static:
        raise NotFound
    return segment


def _numbers_of(lines: list[str]) -> tuple[list[int], list[int]]:
    """Return the contact numbers that the lines lead to, and the lines that lead to nobody or to several."""
    asked = {(system, line) for line in lines if line for system in IDENTIFIERS}
    found, _ = contacts.find_each(asked, ())
    owners: dict[int, set[UUID]] = {
        place: {one for system in IDENTIFIERS for one in found[system, line]}
        for place, line in enumerate(lines, 1)
        if line
    }
    unknown = [place for place, some in owners.items() if len(some) != 1]
    return list(contacts.numbers_of([one for some in owners.values() for one in some]).values()), unknown


def _nobody(unknown: list[int]) -> str:
    named = ", ".join(map(str, unknown[:10])) + (" and others" if len(unknown) > 10 else "")
    lines = f"Line {named} leads" if len(unknown) == 1 else f"Lines {named} lead"
    return f"{lines} to nobody here, or to more than one person. Nothing was changed."


def _done(request: HttpRequest, segment: Segment, word: str, people: int) -> HttpResponse:
    toast(request, f"{people:,} {'person was' if people == 1 else 'people were'} {word}.")
    return redirect("audiences:segment", segment.id)
