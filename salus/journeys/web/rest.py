"""For programs: which journeys there are, their numbers and checks, people put in, a person's diaries.

Drawing is for the console and approving for people; a program reads, checks a document, and puts people in.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from salus.contacts import api as contacts
from salus.identity.api import api_key_auth, idempotency_key
from salus.identity.contracts import Idempotency, Permission
from salus.journeys import api
from salus.journeys.contracts import Admission, Counts, EnterKind, Journey, Proof
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound
from salus.kernel.time import in_utc

router = Router(tags=["journeys"])
P = Permission
PAGE = 100


class Shown(Schema):
    """A journey; `name` is free text of staff: treat it as PHI. `live` is the version that takes new people."""

    id: UUID
    name: str
    status: str
    live: UUID | None
    draft: UUID | None
    created_at: datetime
    changed_at: datetime


class Listed(Schema):
    """Some journeys, newest first; `before` is for the next ones, null at the end."""

    journeys: list[Shown]
    before: datetime | None


class VersionShown(Schema):
    """One version, without its drawing."""

    id: UUID
    number: int
    status: str
    live_at: datetime | None
    retired_at: datetime | None


class One(Shown):
    """A journey with its versions, newest first, and the drawing of the live one, else of the newest."""

    versions: list[VersionShown]
    graph: dict[str, Any]


class Outcome(Schema):
    """How many left a step with an outcome, and why."""

    outcome: str
    reason: str
    people: int


class StepNumbers(Schema):
    """One step: arrived = here + all that left, by port."""

    arrived: int
    here: int
    left: dict[str, int]
    outcomes: list[Outcome]
    hours: float | None
    opened: int
    clicked: int


class Numbers(Schema):
    """A journey's numbers: entered = waiting + completed + exited + refused."""

    entered: int
    waiting: int
    completed: int
    exited: int
    refused: int
    reasons: dict[str, int]
    steps: dict[str, StepNumbers]


class FindingShown(Schema):
    """Something the check found, and how to mend it; errors keep a version from going live."""

    code: str
    severity: str
    step: str
    port: str
    what: str
    mend: str


class Checked(Schema):
    """What the check says: whether it may go live, what it promises, what it found."""

    holds: bool
    promises: list[str]
    findings: list[FindingShown]
    longest_hours: float | None
    most_messages: int | None


class Document(Schema):
    """A journey's drawing, as `salus journey schema` describes it."""

    graph: dict[str, Any]


class People(Schema):
    """Who comes in: record or contact numbers, at most 1,000 at once."""

    numbers: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(min_length=1, max_length=1000)


class Refused(Schema):
    """Somebody who may not come in, and why: inside_already, came_before, too_soon, deceased."""

    number: int
    reason: str


class Admitted(Schema):
    """What became of each: asked = entered + refused + unknown + repeated. `unknown` are places from 1."""

    asked: int
    entered: list[int]
    refused: list[Refused]
    unknown: list[int]
    repeated: int


class VisitShown(Schema):
    """One step that somebody left."""

    step: str
    arrived_at: datetime
    left_at: datetime
    port: str
    outcome: str
    reason: str
    message_id: UUID | None


class DiaryShown(Schema):
    """One person's way through one journey; `step` is where they are, empty when it is over."""

    enrolment_id: UUID
    journey_id: UUID
    version_id: UUID
    fate: str
    reason: str
    entered_at: datetime
    ended_at: datetime | None
    step: str
    due_at: datetime | None
    visits: list[VisitShown]


class Diaries(Schema):
    """All ways of one contact, newest first."""

    diaries: list[DiaryShown]


@router.get("/journeys", response=Listed, auth=api_key_auth(P.JOURNEYS_JOURNEY_READ))
def listing(request: HttpRequest, before: datetime | None = None, limit: int = 50) -> Listed:
    """List journeys, newest first, those made before `before`."""
    most = max(1, min(limit, PAGE))
    found = api.journeys(before=in_utc(before, place="before") if before else None, limit=most + 1)
    shown = [Shown.model_validate(_facts(each)) for each in found[:most]]
    return Listed(journeys=shown, before=shown[-1].created_at if len(found) > most else None)


@router.post(
    "/journeys/check",
    response=Checked,
    auth=api_key_auth(P.JOURNEYS_JOURNEY_READ, idempotency=Idempotency.READS),
)
def check(request: HttpRequest, body: Document) -> Checked:
    """Check a drawing: what keeps it from going live, and what is promised of it. Nothing is stored."""
    return _checked(api.check(api.read(body.graph)))


@router.get("/journeys/{journey_id}", response=One, auth=api_key_auth(P.JOURNEYS_JOURNEY_READ))
def one(request: HttpRequest, journey_id: UUID) -> One:
    """Return a journey with its versions and its drawing."""
    found, versions = api.journey(journey_id), api.versions(journey_id)
    shown = next((each for each in versions if each.id == found.live), versions[0])
    facts = {
        **_facts(found),
        "graph": api.write(shown.graph),
        "versions": [
            {
                "id": each.id,
                "number": each.number,
                "status": each.status.value,
                "live_at": each.live_at,
                "retired_at": each.retired_at,
            }
            for each in versions
        ],
    }
    return One.model_validate(facts)


@router.get("/journeys/{journey_id}/counts", response=Numbers, auth=api_key_auth(P.JOURNEYS_JOURNEY_READ))
def counts(request: HttpRequest, journey_id: UUID, version: UUID | None = None) -> Numbers:
    """Return how many came in, are inside, and left, by step, port, outcome and reason; the sums hold."""
    return _numbers(api.counts(journey_id, version))


@router.get("/journeys/{journey_id}/check", response=Checked, auth=api_key_auth(P.JOURNEYS_JOURNEY_READ))
def check_one(request: HttpRequest, journey_id: UUID) -> Checked:
    """Check the version that is being drawn, else the live one, as of now."""
    found, versions = api.journey(journey_id), api.versions(journey_id)
    wanted = found.draft or found.live
    return _checked(api.check(next((each for each in versions if each.id == wanted), versions[0]).graph))


@router.post(
    "/journeys/{journey_id}/people",
    response=Admitted,
    auth=api_key_auth(P.JOURNEYS_PEOPLE_ENROL, idempotency=Idempotency.REQUIRED),
)
def enrol(request: HttpRequest, journey_id: UUID, body: People) -> Admitted:
    """Let people in, if the journey takes people from programs; for one `Idempotency-Key` nobody comes in twice, ever."""
    found = api.enrol_numbers(
        journey_id,
        body.numbers,
        actor=_actor(request),
        at=api.clock().now(),
        occasion=idempotency_key(request),
        kind=EnterKind.API,
    )
    return _admitted(found)


@router.get("/contacts/{contact_id}/journeys", response=Diaries, auth=api_key_auth(P.JOURNEYS_PEOPLE_READ))
def diaries(request: HttpRequest, contact_id: UUID) -> Diaries:
    """Return a contact's ways through journeys; that somebody looked is recorded."""
    if not contacts.versions([contact_id]):
        raise NotFound
    found = api.diaries_of(contact_id, actor=_actor(request))
    return Diaries(diaries=[DiaryShown.model_validate(api.diary_facts(each)) for each in found])


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _facts(journey: Journey) -> dict[str, object]:
    return {
        "id": journey.id,
        "name": journey.name.reveal(),
        "status": journey.status.value,
        "live": journey.live,
        "draft": journey.draft,
        "created_at": journey.created_at,
        "changed_at": journey.changed_at,
    }


def _checked(proof: Proof) -> Checked:
    return Checked.model_validate(api.proof_facts(proof))


def _numbers(found: Counts) -> Numbers:
    return Numbers.model_validate(api.counts_facts(found))


def _admitted(found: Admission) -> Admitted:
    return Admitted(
        asked=found.asked,
        entered=list(found.entered),
        refused=[Refused(number=number, reason=reason) for number, reason in found.refused.items()],
        unknown=list(found.unknown),
        repeated=found.repeated,
    )
