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
from salus.journeys.enlisting import contact_of, enrol_numbers, takes_by_hand
from salus.journeys.gallery.reading import every as ready_journeys
from salus.journeys.gallery.reading import read as ready_journey
from salus.journeys.installing import NEEDED as ADDING_NEEDS
from salus.journeys.installing import install as add_ready
from salus.journeys.joining import join_person as join_person
from salus.journeys.joining import part_person as part_person
from salus.journeys.knowing import offered
from salus.journeys.launching import close, go_live, pause, resume, stop
from salus.journeys.leaving import erase_person, export_person
from salus.journeys.numbers import counts, inside_by_version, totals
from salus.journeys.ports import clock, use_clock
from salus.journeys.proving import check, proof
from salus.journeys.queries import journey, journeys, open_versions, version, version_of_sending, versions
from salus.journeys.resettling import move_people, moves, suggested_moves
from salus.journeys.rules.comparing import compare
from salus.journeys.rules.reading import read, write
from salus.journeys.rules.schema import schema
from salus.journeys.simulating import simulate
from salus.journeys.telling import counts_facts, diary_facts, proof_facts, visit_facts
from salus.journeys.working import FEEDS, enter, find_coming, find_due, follow, join_counts, move

__all__ = [
    "ADDING_NEEDS",
    "FEEDS",
    "add_ready",
    "approve",
    "check",
    "clock",
    "close",
    "compare",
    "contact_of",
    "copy",
    "counts",
    "counts_facts",
    "create",
    "diaries_of",
    "diary",
    "diary_facts",
    "enrol_numbers",
    "enter",
    "erase_person",
    "export_person",
    "find_coming",
    "find_due",
    "follow",
    "go_live",
    "inside_by_version",
    "join_counts",
    "journey",
    "journeys",
    "move",
    "move_people",
    "moves",
    "new_draft",
    "offered",
    "open_versions",
    "pause",
    "people_at",
    "proof",
    "proof_facts",
    "read",
    "ready_journey",
    "ready_journeys",
    "resume",
    "save_draft",
    "schema",
    "send_back",
    "simulate",
    "stop",
    "submit",
    "suggested_moves",
    "take_back",
    "takes_by_hand",
    "totals",
    "use_clock",
    "version",
    "version_of_sending",
    "versions",
    "visit_facts",
    "write",
]
