"""Groups of words that several rules share, each with the reason for its border."""

from __future__ import annotations

from salus.kernel.vocabulary import (
    AddressSource,
    PhiClass,
    Purpose,
    Relation,
    SenderRole,
    Special,
)
from salus.timeline.contracts import EventKind

CARE_CLASSES = frozenset(PhiClass) - {PhiClass.CONTACT, PhiClass.DEMOGRAPHIC, PhiClass.ENGAGEMENT}
"""What is known only because of care: a message that reads one of these is targeted by PHI (D15)."""

NEWS_OF_A_RESULT = f"event:{EventKind.LAB_AVAILABLE}"
"""The field of a read that asks whether a lab result has come in, and nothing of what it says."""

CARE_SOURCES = frozenset(
    {AddressSource.CLINICAL_ENCOUNTER, AddressSource.PLAN_ENROLLMENT, AddressSource.REFERRAL}
)
"""An address that came with care or enrolment is PHI by itself (`law.md` X11)."""

WEB_SOURCES = frozenset({AddressSource.WEBSITE_SIGNUP, AddressSource.EVENT_OR_SCREENING})
"""The person gave the address for messages, not for care (D14)."""

UNPROVEN_SOURCES = frozenset({AddressSource.PURCHASED, AddressSource.UNKNOWN})
"""No evidence of any relation (D37)."""

CLINICAL_SPECIALS = frozenset(Special) - {Special.SENSITIVE_DEMOGRAPHIC}
"""Special categories of health; sensitive demographics have a rule of their own (S10)."""

HIPAA_ROLES = frozenset(SenderRole) - {SenderRole.SUPPLIER}
"""Senders that are, or act for, a covered entity; a supplier has none of its carve-outs (`law.md` 1.1)."""

TREATING_ROLES = frozenset({SenderRole.PROVIDER, SenderRole.PART2_PROGRAM})
OWN = frozenset({Relation.PATIENT, Relation.ENROLLED})
"""The sender's own people today; a former patient is no longer one."""

PATIENTS = frozenset({Relation.PATIENT, Relation.ENROLLED, Relation.FORMER})

P = Purpose
FUNDRAISING = frozenset({P.FUNDRAISING_OWN, P.FUNDRAISING_OTHERS})

CARE_PURPOSES = frozenset(
    {
        P.APPOINTMENT,
        P.LAB_NOTICE,
        P.REFILL,
        P.CARE_INSTRUCTIONS,
        P.PROVIDER_TREATMENT,
        P.PAYMENT,
        P.CONDITION_EDUCATION,
        P.PREVENTIVE_REMINDER,
        P.SURVEY,
        P.PLAN_BENEFIT,
        P.PUBLIC_HEALTH_ALERT,
        P.TRANSACTIONAL,
        P.BREACH_NOTICE,
        P.GOVERNMENT_PROGRAM,
    }
)
"""Treatment, payment and health care operations, as long as nothing is promoted and nobody pays."""

LABELS = frozenset(
    {
        P.APPOINTMENT,
        P.LAB_NOTICE,
        P.REFILL,
        P.CARE_INSTRUCTIONS,
        P.PAYMENT,
        P.CONDITION_EDUCATION,
        P.GENERAL_EDUCATION,
        P.PREVENTIVE_REMINDER,
        P.SOCIAL_EVENT,
        P.SURVEY,
        P.PUBLIC_HEALTH_ALERT,
        P.TRANSACTIONAL,
        P.MILESTONE,
        P.GOVERNMENT_PROGRAM,
    }
)
"""Purposes that promise to promote nothing: when such a message does, what it promotes decides."""

ANY_PURPOSE: frozenset[Purpose] = frozenset()
"""A rule with no purposes applies to all of them."""
