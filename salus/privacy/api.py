"""The door of the privacy office. Call it inside the organization's context; whoever calls asked for the permission."""

from __future__ import annotations

from salus.privacy.disclosures import accounting, record_disclosure, suspend
from salus.privacy.erasures import erase, steps
from salus.privacy.exports import export, use_packages
from salus.privacy.posture_port import posture, use_facts
from salus.privacy.posture_rules import CHECKS, judge
from salus.privacy.requests import approve, extend, overdue, receive, refuse, request, requests

__all__ = [
    "CHECKS",
    "accounting",
    "approve",
    "erase",
    "export",
    "extend",
    "judge",
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
