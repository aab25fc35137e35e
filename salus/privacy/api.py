"""The door of the privacy office. Call it inside the organization's context."""

from __future__ import annotations

from salus.privacy.aging import count_copies, count_documents, empty_copies, empty_documents
from salus.privacy.disclosures import accounting, record_disclosure, suspend
from salus.privacy.erased import came_back, listed, remember, unlisted, use_erased_list
from salus.privacy.erasures import erase, erase_again, erase_kept, queue_again, steps
from salus.privacy.exports import export, use_packages
from salus.privacy.joining import join_person as join_person
from salus.privacy.joining import part_person as part_person
from salus.privacy.keeping import copy_made_at, erase_copies, make_copy, open_copy
from salus.privacy.letter import LANGUAGES, letter
from salus.privacy.posture_port import posture, use_facts
from salus.privacy.posture_rules import CHECKS, judge
from salus.privacy.request_rules import DUE, EXEMPT, SUSPENDING
from salus.privacy.requests import (
    approve,
    carry_out,
    extend,
    overdue,
    receive,
    refuse,
    request,
    requests,
)

__all__ = [
    "CHECKS",
    "DUE",
    "EXEMPT",
    "LANGUAGES",
    "SUSPENDING",
    "accounting",
    "approve",
    "came_back",
    "carry_out",
    "copy_made_at",
    "count_copies",
    "count_documents",
    "empty_copies",
    "empty_documents",
    "erase",
    "erase_again",
    "erase_copies",
    "erase_kept",
    "export",
    "extend",
    "judge",
    "letter",
    "listed",
    "make_copy",
    "open_copy",
    "overdue",
    "posture",
    "queue_again",
    "receive",
    "record_disclosure",
    "refuse",
    "remember",
    "request",
    "requests",
    "steps",
    "suspend",
    "unlisted",
    "use_erased_list",
    "use_facts",
    "use_packages",
]
