"""One person's files: what an access request gets, and that an erasure takes all of it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from uuid import UUID

from salus.files import operations, queries
from salus.files.contracts import FileFacts
from salus.kernel.acting import Actor
from salus.kernel.leaving import Left

MOST_IN_A_COPY = 32 * 1024 * 1024
"""Bytes of files that go into one copy; what is beyond is named in it, and staff give it out by itself."""


def export_person(contact_id: UUID, *, actor: Actor) -> dict[str, Any]:
    """Return a person's files with their bytes (base64) as JSON values, oldest first; each look is recorded."""
    found, left = [], MOST_IN_A_COPY
    for facts in queries.files_about(contact_id):
        found.append(_told(facts, actor, with_content=facts.size <= left))
        left -= facts.size if facts.size <= left else 0
    return {"files": found}


def _told(facts: FileFacts, actor: Actor, *, with_content: bool) -> dict[str, Any]:
    content = None
    if with_content:
        _, pieces = queries.read(facts.id, facts.owner, actor=actor)
        content = b64encode(b"".join(pieces)).decode()
    return {
        "name": facts.name.reveal(),
        "type": facts.kind.media,
        "of": facts.owner.of.value,
        "belongs_to": str(facts.owner.id),
        "at": facts.created_at.isoformat(),
        "bytes": facts.size,
        "content": content,
    }


def erase_person(contact_id: UUID, *, actor: Actor) -> Left:
    """Erase every file about a person. Safe to repeat."""
    return Left({"files": operations.erase_of(contact_id, actor=actor)})
