"""A clinic with a patient who writes and is answered."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

from django.utils import timezone

from salus.files import api as files
from salus.identity.contracts import Organization
from salus.inbox import api
from salus.inbox.contracts import NewLetter
from salus.kernel.acting import Actor, ActorKind, system
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for

from ..delivery import office

WORDS = "May I take it with milk? CANARY-TALK-1"


class House:
    """A clinic, Ada who is its patient, and what is done for her."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.actor = Actor(ActorKind.STAFF, organization.id, new_id())
        with acting_for(organization.id):
            patch = office.patient(
                f"ada{new_id().hex}", f"ada.{new_id().hex[:8]}@lakepost.example.test", timezone.now()
            )
            [self.ada] = office.admit([patch], system(organization.id, "test"))

    def hear(
        self, text: str = WORDS, *, about: UUID | None = None, at: Any = None, data: bytes | None = None
    ) -> UUID:
        with acting_for(self.organization.id):
            return self._hear(text, about or new_id(), at or timezone.now(), data)

    def _hear(self, text: str, about: UUID, at: Any, data: bytes | None) -> UUID:
        actor, draft = system(self.organization.id, "portal"), new_id()
        taken = (
            [files.take(self.ada, "photo.png", [data], draft_id=draft, actor=actor, at=at).id] if data else []
        )
        api.hear(self.ada, about, text, file_ids=taken, draft_id=draft, actor=actor, at=at)
        [talk] = [each for each in api.conversations(waiting=False) if each.message_id == about]
        return talk.id

    def write(self, **changes: Any) -> Any:
        given: dict[str, Any] = {
            "contact_id": self.ada,
            "subject": "About milk",
            "text": "Yes, you may.",
            **changes,
        }
        with acting_for(self.organization.id):
            return api.write(NewLetter(**given), actor=self.actor, at=timezone.now())

    def read(self, conversation_id: UUID) -> Any:
        with acting_for(self.organization.id):
            return api.conversation(conversation_id, actor=self.actor)


def whole(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def upload(name: str, data: bytes) -> io.BytesIO:
    file = io.BytesIO(data)
    file.name = name
    return file
