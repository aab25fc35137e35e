"""The door of journeys. Unless said otherwise, call it inside the organization's context."""

from __future__ import annotations

from salus.journeys.diaries import diaries_of, diary, people_at
from salus.journeys.drafting import (
    approve,
    copy,
    create,
    new_draft,
    save_draft,
    send_back,
    submit,
    take_back,
)
from salus.journeys.launching import close, go_live, pause, resume, stop
from salus.journeys.proving import check, proof
from salus.journeys.queries import journey, journeys, open_versions, version, versions
from salus.journeys.rules.comparing import compare
from salus.journeys.rules.reading import read, write
from salus.journeys.rules.schema import schema
from salus.journeys.telling import counts_facts, diary_facts, proof_facts

__all__ = [
    "approve",
    "check",
    "close",
    "compare",
    "copy",
    "counts_facts",
    "create",
    "diaries_of",
    "diary",
    "diary_facts",
    "go_live",
    "journey",
    "journeys",
    "new_draft",
    "open_versions",
    "pause",
    "people_at",
    "proof",
    "proof_facts",
    "read",
    "resume",
    "save_draft",
    "schema",
    "send_back",
    "stop",
    "submit",
    "take_back",
    "version",
    "versions",
    "write",
]
