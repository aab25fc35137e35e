"""For programs: tell what happened to people, one event or a thousand in a call."""

from __future__ import annotations

from typing import Any, cast

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from ninja.throttling import SimpleRateThrottle

from salus.identity.api import api_key_auth, idempotency_key
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.timeline import api
from salus.timeline.contracts import Outcome

router = Router(tags=["events"])
MOST = 1_000
"""Events in one call."""
RATE = "30/s"
"""Calls of one key, for each web process."""


class Answer(Schema):
    """What became of one event: "stored", "known" (its key was told before) or "refused", and then why and where."""

    index: int
    outcome: Outcome
    place: str = ""
    reason: str = ""


class Answers(Schema):
    """What became of all of them: stored + known + refused = the number of events told."""

    stored: int
    known: int
    refused: int
    events: list[Answer]


class PerKey(SimpleRateThrottle):
    """Counts the calls of each key."""

    def get_cache_key(self, request: HttpRequest) -> str | None:
        """Return the key's id."""
        actor: Actor | None = getattr(request, "actor", None)
        return f"events:{actor.id}" if actor is not None else None


THROTTLE = PerKey(RATE)
_EVENT = api.schema()
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        *_EVENT["oneOf"],
                        {
                            "type": "object",
                            "title": "several",
                            "properties": {
                                "events": {"type": "array", "minItems": 1, "maxItems": MOST, "items": _EVENT}
                            },
                            "required": ["events"],
                            "additionalProperties": False,
                        },
                    ]
                }
            }
        },
    }
}


@router.post(
    "/events",
    response={200: Answers, 207: Answers},
    auth=api_key_auth(Permission.TIMELINE_EVENT_WRITE),
    throttle=[THROTTLE],
    openapi_extra=_BODY,
)
def tell(request: HttpRequest) -> Status[Answers]:
    """Tell of one event, or of up to 1,000 as {"events": [...]}.

    Of several, the good ones are stored whatever the others are; 207 says that some were refused, and
    each with its reason. One event alone that is refused is a problem (400, or 404 when nobody has what
    it names). An event whose key is known already is left as it was.
    """
    events, alone = _events(_body(request))
    told = api.tell(events, call=idempotency_key(request), actor=cast("Actor", request.actor))  # type: ignore[attr-defined]
    if alone and told[0].outcome is Outcome.REFUSED:
        if told[0].reason == api.NOBODY:
            raise NotFound(f"{told[0].place}: {told[0].reason}.")
        raise BadInput(told[0].reason, place=told[0].place)
    counts = {outcome.value: sum(one.outcome is outcome for one in told) for outcome in Outcome}
    answers = Answers(
        **counts,
        events=[
            Answer(index=index, outcome=one.outcome, place=one.place, reason=one.reason)
            for index, one in enumerate(told)
        ],
    )
    return Status(207 if answers.refused else 200, answers)


def _body(request: HttpRequest) -> Any:
    try:
        return orjson.loads(request.body)
    except RequestDataTooBig:
        raise HttpError(413, "This is too much for one call. Tell it in several.") from None
    except orjson.JSONDecodeError as fault:
        raise BadInput("is not JSON", place="body") from fault


def _events(body: Any) -> tuple[list[Any], bool]:
    """Return the events that a body holds, and whether it is one alone."""
    if not isinstance(body, dict):
        raise BadInput('is neither an event nor {"events": [...]}', place="body")
    if "events" not in body:
        return [body], True
    events = body["events"]
    if set(body) != {"events"} or not isinstance(events, list) or not 0 < len(events) <= MOST:
        raise BadInput(f"are not a list of 1 to {MOST:,} events, and nothing else", place="events")
    return events, False
