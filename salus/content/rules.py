"""Decisions about classifications: what must be said, and who may confirm it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

from salus.content.contracts import Classification, Problem, Review, ReviewStep
from salus.kernel.vocabulary import Promotes, Purpose, Remuneration

SELF_REVIEW = "You wrote this, so somebody else approves it."
_TOPIC = re.compile(r"[a-z][a-z0-9 _-]{1,59}")
_ABOUT_CONDITIONS = frozenset({Purpose.CONDITION_EDUCATION})


def check_classification(classification: Classification) -> tuple[Problem, ...]:
    """Return what is missing or contradicts itself in a proposal; the law itself is asked by the gate."""
    found = []
    if classification.purpose is Purpose.UNCLASSIFIED:
        found.append(Problem("purpose", "Say what the message is for.", "Nothing unclassified is ever sent."))
    if not _TOPIC.fullmatch(classification.topic):
        found.append(
            Problem("topic", "A topic is a word or two in small letters.", "Readers opt out by topic.")
        )
    paid = classification.remuneration is not Remuneration.NONE
    if paid and not classification.payer.strip():
        found.append(
            Problem("payer", "Say who pays.", "45 CFR 164.508(a)(3)(ii) wants it said to the reader.")
        )
    if not paid and (classification.payer or classification.payer_is_promoted_party):
        found.append(Problem("payer", "There is a payer, but nothing is paid."))
    if classification.payer_is_promoted_party and classification.promotes is Promotes.NOTHING:
        found.append(Problem("promotes", "The payer's product is promoted, so something is."))
    third_party = classification.purpose is Purpose.THIRD_PARTY_PRODUCT
    if third_party and classification.promotes is not Promotes.THIRD_PARTY:
        found.append(Problem("promotes", "A third party's product is promoted here."))
    if classification.purpose in _ABOUT_CONDITIONS and not classification.conditions:
        found.append(
            Problem("conditions", "Say which condition it is about.", 'A code such as E11, or "vs:diabetes".')
        )
    return tuple(found)


def standing_proposal(history: Iterable[Review]) -> tuple[Review | None, Review | None]:
    """Return the last proposal of a version and the answer to it, if there is one, from its history in order."""
    proposal: Review | None = None
    answer: Review | None = None
    for review in history:
        if review.step is ReviewStep.PROPOSED:
            proposal, answer = review, None
        else:
            answer = review
    return proposal, answer


def may_confirm(person: UUID, version_author: UUID | None, proposal: Review) -> str:
    """Return why `person` may not confirm `proposal`, or "" if they may."""
    if person in {version_author, proposal.actor_id}:
        return SELF_REVIEW
    return ""
