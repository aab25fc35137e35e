"""For programs: take a file, write a letter to a patient, follow what patients write, and give their files out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Query, Router, Schema, Status
from pydantic import Field

from salus.files import api as files
from salus.files.contracts import FileFacts
from salus.identity.api import api_key_auth, idempotency_key
from salus.identity.contracts import Permission
from salus.inbox import api, contracts
from salus.kernel.acting import Actor
from salus.kernel.time import SystemClock
from salus.kernel.vocabulary import Special

router = Router(tags=["conversations"])
CLOCK = SystemClock()
P = Permission
PAGE = 100
READ_AT_ONCE = 64 * 1024


class File(Schema):
    """A file; its name is PHI."""

    id: UUID
    name: str
    type: str
    bytes: int


class Said(Schema):
    """What was written; `text` is PHI. Of a letter of ours: its message, how it stands, when it was opened."""

    id: UUID
    side: contracts.Side
    at: datetime
    text: str
    files: list[File]
    message_id: UUID | None
    state: str | None
    opened_at: datetime | None


class Conversation(Schema):
    """A conversation with one patient."""

    id: UUID
    contact_id: UUID
    message_id: UUID
    waiting: bool
    begun_at: datetime
    last_at: datetime
    said: list[Said]


class Conversations(Schema):
    """Some conversations, without what was said; `after` is for the next ones, null at the end."""

    conversations: list[Conversation]
    after: UUID | None


class Letter(Schema):
    """A letter to one patient. `tells`: what its words or files touch; `files`: those taken before, for this person."""

    contact_id: UUID
    subject: str = Field(min_length=1, max_length=120)
    text: str = Field(min_length=1, max_length=10_000)
    tells: list[Special] = []
    files: list[UUID] = Field(default=[], max_length=files.MOST)
    view_only: bool = False
    days: int | None = Field(default=None, strict=True, ge=1, le=365)
    conversation_id: UUID | None = None


class Written(Schema):
    """What became of a letter; `reason` is a code of the gate when it may not go."""

    message_id: UUID | None
    conversation_id: UUID | None
    allowed: bool
    reason: str


@router.post("/contacts/{contact_id}/files", response=File, auth=api_key_auth(P.INBOX_LETTER_WRITE))
def take_file(
    request: HttpRequest, contact_id: UUID, name: Annotated[str, Query(max_length=300)] = "file"
) -> File:
    """Take a file, its bytes as the body, for a letter that is written within a day; a refused one is a problem (400).

    Its kind is told by its bytes, whatever the name or the content type say.
    """
    actor = _actor(request)
    facts = api.take_file(contact_id, name, _body(request), draft_id=_own(actor), actor=actor, at=CLOCK.now())
    return _file(facts)


@router.post("/letters", response=Written, auth=api_key_auth(P.INBOX_LETTER_WRITE))
def write(request: HttpRequest, letter: Letter) -> Written:
    """Write to a patient in the portal; one `Idempotency-Key` makes one letter, ever. Nothing of it goes by mail."""
    actor = _actor(request)
    given = letter.dict() | {"tells": frozenset(letter.tells), "files": tuple(letter.files)}
    new = contracts.NewLetter(**given, draft_id=_own(actor), key=idempotency_key(request))
    written = api.write(new, actor=actor, at=CLOCK.now())
    return Written(
        message_id=written.message_id,
        conversation_id=written.conversation_id,
        allowed=not written.reason,
        reason=written.reason,
    )


@router.get("/conversations", response=Conversations, auth=api_key_auth(P.INBOX_CONVERSATION_READ))
def listing(
    request: HttpRequest, waiting: bool = True, after: UUID | None = None, limit: int = 50
) -> Conversations:
    """List conversations that wait for an answer, the longest first; or all, the newest first."""
    most = max(1, min(limit, PAGE))
    found = api.conversations(waiting=waiting, after=after, limit=most + 1)
    return Conversations(
        conversations=[_shown(each) for each in found[:most]],
        after=found[most - 1].id if len(found) > most else None,
    )


@router.get(
    "/conversations/{conversation_id}", response=Conversation, auth=api_key_auth(P.INBOX_CONVERSATION_READ)
)
def one(request: HttpRequest, conversation_id: UUID) -> Conversation:
    """Return a conversation with what was said; the look is recorded."""
    return _shown(api.conversation(conversation_id, actor=_actor(request)))


@router.post(
    "/conversations/{conversation_id}/settle", response={204: None}, auth=api_key_auth(P.INBOX_LETTER_WRITE)
)
def settle(request: HttpRequest, conversation_id: UUID) -> Status[None]:
    """Say that no answer is needed; again changes nothing."""
    api.settle(conversation_id, actor=_actor(request), at=CLOCK.now())
    return Status(204, None)


@router.get("/conversations/{conversation_id}/files/{file_id}", auth=api_key_auth(P.INBOX_CONVERSATION_READ))
def give_file(request: HttpRequest, conversation_id: UUID, file_id: UUID) -> HttpResponseBase:
    """Return a file's bytes; the look is recorded."""
    facts = api.file_of(conversation_id, file_id)
    return files.download(*files.read(facts.id, facts.owner, actor=_actor(request)))


def _body(request: HttpRequest) -> Iterator[bytes]:
    while piece := request.read(READ_AT_ONCE):
        yield piece


def _own(actor: Actor) -> UUID:
    assert actor.id is not None
    return actor.id


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _file(facts: FileFacts) -> File:
    return File(id=facts.id, name=facts.name.reveal(), type=facts.kind.media, bytes=facts.size)


def _shown(talk: contracts.Conversation) -> Conversation:
    return Conversation(
        id=talk.id,
        contact_id=talk.contact_id,
        message_id=talk.message_id,
        waiting=talk.waiting,
        begun_at=talk.begun_at,
        last_at=talk.last_at,
        said=[
            Said(
                id=each.id,
                side=each.side,
                at=each.at,
                text=each.letter.text.reveal() if each.letter else each.text.reveal(),
                files=[_file(file) for file in each.files],
                message_id=each.letter.message_id if each.letter else None,
                state=each.letter.state.value if each.letter else None,
                opened_at=each.letter.opened_at if each.letter else None,
            )
            for each in talk.said
        ],
    )
