"""What the pages of a journey show of it: how it stands, its numbers, its checks, and what its reader may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse

from salus.audiences import api as audiences
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.journeys import api
from salus.journeys.contracts import Counts, Fate, Journey, Proof, Status, Version, VersionStatus
from salus.journeys.web import words
from salus.journeys.web.forms import Approval, SendingBack
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound, SalusError, Unavailable
from salus.kernel.time import SystemClock
from salus.platform.web.errors import status_of
from salus.platform.web.templatetags.salus import moment, number

CLOCK = SystemClock()
P = Permission
VIEWS = (("edit", "Canvas"), ("steps", "List"), ("show", "Funnel"), ("versions", "Versions"))
"""The tabs: each is a page of its own."""
SEEN = "%Y-%m-%dT%H:%M:%S.%f%z"


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def now() -> datetime:
    """Return the present moment."""
    return api.clock().now()


def named(name: str, *ids: object) -> str:
    """Return the address of a page, "" when it is not mounted."""
    try:
        return reverse(name, args=ids)
    except NoReverseMatch:
        return ""


@dataclass(frozen=True, slots=True)
class Board:
    """A journey as one of its pages shows it: the version that is looked at, and the one being drawn."""

    journey: Journey
    versions: Sequence[Version]
    version: Version
    draft: Version | None
    total: Counts
    counts: Counts
    proof: Proof | None
    actor: Actor

    def title(self, step: str) -> str:
        """Return what a step is called, its key when it has no title or is not there."""
        found = self.version.graph.steps.get(step)
        return found.title if found and found.title else step


def open_board(request: HttpRequest, journey_id: UUID, version_id: UUID | None = None) -> Board:
    """Return the journey with the version that is asked for, else the live one; raises `NotFound`."""
    journey, versions = api.journey(journey_id), api.versions(journey_id)
    shown = _shown(versions, version_id)
    draft = next((each for each in versions if each.id == journey.draft), None)
    total = api.counts(journey_id)
    counts = api.counts(journey_id, shown.id) if shown.live_at else total
    return Board(
        journey=journey,
        versions=versions,
        version=shown,
        draft=draft,
        total=total,
        counts=counts if shown.live_at else Counts(0, 0, 0, 0, 0, {}, {}),
        proof=_proof(shown),
        actor=actor_of(request),
    )


def _shown(versions: Sequence[Version], wanted: UUID | None) -> Version:
    if wanted is not None:
        found = next((each for each in versions if each.id == wanted), None)
        if found is None:
            raise NotFound
        return found
    were_live = [each for each in versions if each.live_at is not None]
    live = [each for each in were_live if each.status is VersionStatus.LIVE]
    return (live or were_live or list(versions))[0]


def _proof(version: Version) -> Proof | None:
    try:
        return api.proof(version.id)
    except Unavailable:
        return None


def render_board(
    request: HttpRequest,
    template: str,
    view: str,
    board: Board,
    *,
    fault: SalusError | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """Return a page of the journey: its head, its tabs, and what `more` is for."""
    journey, version = board.journey, board.version
    context = {
        "journey": journey,
        "version": version,
        "draft": board.draft,
        "next_number": max(each.number for each in board.versions) + 1,
        "tag": words.STATUSES[journey.status],
        "standing": standing(version),
        "total": board.total,
        "sum": sum_words(board.total),
        "version_counts": board.counts,
        "version_sum": sum_words(board.counts),
        "version_state": words.STANDS.get(version.status, ""),
        "proof": board.proof,
        "promises": promises(board.proof),
        "findings": findings(board),
        "proven": "Proven before it ran" if version.live_at else "Proven",
        "unproven": unproven(board.proof),
        "view": view,
        "tabs": [(name, label, address(f"journeys:{name}", board)) for name, label in VIEWS],
        "may": may(board),
        "simulate_url": f"{address('journeys:edit', board)}#simulate",
        "others": _others(view, board),
        "fault": fault,
        **more,
    }
    if fault is not None:
        status = status_of(fault)[0]
    return render(request, template, context, status=status)


def address(name: str, board: Board, **query: str) -> str:
    """Return the address of a page of the journey, for the version that is looked at."""
    base = reverse(name, args=[board.journey.id])
    if board.version.id != _shown(board.versions, None).id:
        query = {"version": str(board.version.id), **query}
    return f"{base}?{'&'.join(f'{key}={value}' for key, value in query.items())}" if query else base


def _others(view: str, board: Board) -> list[tuple[Version, str]]:
    """Return the other versions that people were in, with where their numbers are."""
    if view not in {"show", "steps"}:
        return []
    page = reverse(f"journeys:{view}", args=[board.journey.id])
    return [
        (each, f"{page}?version={each.id}")
        for each in board.versions
        if each.id != board.version.id and (each.live_at or each.id == board.journey.draft)
    ]


def standing(version: Version) -> str:
    """Return how a version stands: "Version 4, live since 1 Sep 2026, 8:00"."""
    if version.status is VersionStatus.LIVE:
        return f"Version {version.number}, live since {moment(version.live_at)}"
    return f"Version {version.number}, {words.VERSION_STATUSES[version.status][1].lower()}"


def sum_words(counts: Counts) -> str:
    """Return the sum as a sentence: "2,140 = 612 inside + 814 at the goal + 714 ended"."""
    parts = f"{number(counts.waiting)} inside + {number(counts.completed)} at the goal"
    return f"{number(counts.entered)} = {parts} + {number(counts.exited + counts.refused)} ended"


def people_words(people: int) -> str:
    """Return a number of people in words: "1 person", "612 people"."""
    return "1 person" if people == 1 else f"{number(people)} people"


def promises(proof: Proof | None) -> list[tuple[str, str]]:
    """Return each promise as its first sentence, which is set in bold, and the rest."""
    found = []
    for each in proof.promises if proof else ():
        head, dot, rest = each.partition(". ")
        found.append((head + dot.strip(), f" {rest}" if rest else ""))
    return found


def findings(board: Board) -> list[dict[str, Any]]:
    """Return the findings with the titles of their steps, errors first."""
    found = board.proof.findings if board.proof else ()
    return [
        {
            "finding": each,
            "title": board.title(each.step) if each.step in board.version.graph.steps else "",
            "url": address("journeys:steps", board, step=each.step),
        }
        for each in sorted(found, key=lambda each: each.severity != "error")
    ]


def unproven(proof: Proof | None) -> str:
    """Return how many things are to be mended."""
    errors = sum(each.severity == "error" for each in proof.findings) if proof else 0
    return f"{errors} to mend before it can run" if errors != 1 else "1 thing to mend before it can run"


def may(board: Board) -> dict[str, bool]:
    """Return which acts are possible now and allowed to this person."""
    holds, draft, status = board.actor.permissions, board.draft, board.journey.status
    edit, launch = P.JOURNEYS_JOURNEY_EDIT in holds, P.JOURNEYS_JOURNEY_LAUNCH in holds
    approve = P.JOURNEYS_JOURNEY_APPROVE in holds
    stands = draft.status if draft else None
    wrote = draft is not None and board.actor.id in draft.writers
    handed_in = stands in {VersionStatus.SUBMITTED, VersionStatus.APPROVED}
    return {
        "edit": edit and stands is VersionStatus.DRAFT,
        "redraw": edit and draft is None,
        "copy": edit,
        "submit": edit and stands is VersionStatus.DRAFT,
        "take_back": edit and handed_in,
        "approve": approve and not wrote and stands is VersionStatus.SUBMITTED,
        "send_back": approve and handed_in,
        "wrote": wrote,
        "start": launch and stands is VersionStatus.APPROVED,
        "pause": launch and status in {Status.LIVE, Status.CLOSED},
        "resume": launch and status is Status.PAUSED,
        "close": launch and status in {Status.LIVE, Status.PAUSED} and board.journey.live is not None,
        "stop": launch and status in {Status.LIVE, Status.PAUSED, Status.CLOSED},
        "move": launch and status in {Status.LIVE, Status.PAUSED},
        "enrol": P.JOURNEYS_PEOPLE_ENROL in holds and api.takes_by_hand(board.journey.id),
        "see_people": P.JOURNEYS_PEOPLE_READ in holds,
    }


def fate_tag(fate: Fate, reason: str = "") -> tuple[str, str, str | None]:
    """Return how somebody's enrolment stands, as a tag: kind, words, glyph."""
    return {
        Fate.WAITING: ("wait", "Inside", "clock"),
        Fate.COMPLETED: ("clear", "At the goal", "flag"),
        Fate.EXITED: ("", words.REASONS.get(reason, "Ended") if reason else "Ended", "cross"),
        Fate.REFUSED: ("refuse", "Not allowed", "bar"),
    }[fate]


def segment_names() -> Mapping[object, str]:
    """Return the names of the segments by id."""
    return {each.id: each.name.reveal() for each in audiences.segments()}


def ways_in(version: Version) -> list[str]:
    """Return how people come in, a sentence each."""
    names = segment_names() if any(way.segment_id for way in version.graph.enter) else {}
    return [words.enter_words(way, names) for way in version.graph.enter]


def endings(version: Version) -> list[str]:
    """Return what ends it early, a sentence each."""
    rules = version.graph.rules
    told = [words.ending_words(each.on, each.topic) for each in rules.endings]
    return [*told, f"They have been inside for {words.span(rules.at_most)}"]


def staff(ids: Sequence[UUID | None]) -> Mapping[UUID, str]:
    """Return the names of staff."""
    return identity.staff_names(id for id in ids if id)


def forms_of(board: Board) -> dict[str, Any]:
    """Return fresh forms for the decisions on the version being drawn."""
    seen = board.draft.changed_at.strftime(SEEN) if board.draft else ""
    return {"approval": Approval(initial={"seen": seen}), "sending_back": SendingBack()}
