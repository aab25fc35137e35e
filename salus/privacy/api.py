"""The door of the privacy office. Call it inside the organization's context."""

from __future__ import annotations

from salus.privacy.disclosures import accounting, record_disclosure, suspend
from salus.privacy.erasures import erase, steps
from salus.privacy.exports import export, use_packages
from salus.privacy.joining import join_person as join_person
from salus.privacy.joining import part_person as part_person
from salus.privacy.keeping import copy_made_at, erase_copies, forget_copies, make_copy, open_copy
from salus.privacy.letter import LANGUAGES, letter
from salus.privacy.other_forms import export_fhir, export_pdf
from salus.privacy.posture_port import posture, use_facts
from salus.privacy.posture_rules import CHECKS, judge
from salus.privacy.request_rules import DUE, EXEMPT
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
    "accounting",
    "approve",
    "carry_out",
    "copy_made_at",
    "erase",
    "erase_copies",
    "export",
    "export_fhir",
    "export_pdf",
    "extend",
    "forget_copies",
    "judge",
    "letter",
    "make_copy",
    "open_copy",
    "overdue",
    "posture",
    "receive",
    "record_disclosure",
    "refuse",
    "request",
    "requests",
    "steps",
    "suspend",
    "use_facts",
    "use_packages",
]
