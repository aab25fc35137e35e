"""Pure decisions of identity: what a role may do, when an account is locked, when a session ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from salus.identity.contracts import Permission, Role
from salus.kernel.errors import BadInput

P = Permission

_READ_WORK = {
    P.SEGMENTS_SEGMENT_READ,
    P.CONTENT_TEMPLATE_READ,
    P.CAMPAIGNS_CAMPAIGN_READ,
    P.CAMPAIGNS_REPORT_READ,
    P.JOURNEYS_JOURNEY_READ,
    P.GATE_DECIDE_RUN,
}

ROLES: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.ADMINISTRATOR: frozenset(
            {
                P.IDENTITY_STAFF_MANAGE,
                P.IDENTITY_APIKEY_MANAGE,
                P.IDENTITY_ROLE_GRANT,
                P.IDENTITY_SESSION_END,
                P.IDENTITY_SCIM_PROVISION,
                P.VENDORS_VENDOR_READ,
                P.VENDORS_VENDOR_EDIT,
                P.SEALEDMAIL_KEY_READ,
                P.SEALEDMAIL_KEY_EDIT,
                P.ORGANIZATION_SETTINGS_READ,
                P.ORGANIZATION_SETTINGS_EDIT,
                P.AUDIT_LOG_READ,
            }
        ),
        Role.SECURITY_OFFICER: frozenset(
            {
                P.IDENTITY_ROLE_GRANT,
                P.IDENTITY_SESSION_END,
                P.AUDIT_ACCESS_REVIEW,
                P.IDENTITY_APIKEY_MANAGE,
                P.VENDORS_VENDOR_READ,
                P.VENDORS_VENDOR_EDIT,
                P.ORGANIZATION_SETTINGS_READ,
                P.AUDIT_LOG_READ,
                P.AUDIT_LOG_VERIFY,
                P.DELIVERY_RECEIPT_READ,
            }
        ),
        Role.PRIVACY_OFFICER: frozenset(
            _READ_WORK
            | {
                P.IDENTITY_ROLE_GRANT,
                P.AUDIT_ACCESS_REVIEW,
                P.SEALEDMAIL_KEY_READ,
                P.SEALEDMAIL_KEY_EDIT,
                P.CONTACTS_RECORD_MERGE,
                P.PRIVACY_REQUEST_DO,
                P.CONTACTS_RECORD_READ,
                P.CONTACTS_PHI_REVEAL,
                P.PERMISSIONS_ENTRY_READ,
                P.PERMISSIONS_ENTRY_WRITE,
                P.CONTENT_TEMPLATE_REVIEW,
                P.CAMPAIGNS_CAMPAIGN_APPROVE,
                P.CAMPAIGNS_RECIPIENTS_READ,
                P.DELIVERY_RECEIPT_READ,
                P.DELIVERY_MESSAGE_RECALL,
                P.PATIENTS_CODE_ISSUE,
                P.AUDIT_LOG_READ,
                P.AUDIT_LOG_VERIFY,
                P.JOURNEYS_JOURNEY_APPROVE,
                P.JOURNEYS_PEOPLE_READ,
                P.INBOX_TASK_READ,
                P.INBOX_TASK_DO,
                P.INBOX_CONVERSATION_READ,
                P.INBOX_LETTER_WRITE,
                P.VENDORS_VENDOR_READ,
                P.VENDORS_VENDOR_EDIT,
                P.ORGANIZATION_SETTINGS_READ,
            }
        ),
        Role.MARKETER: frozenset(
            _READ_WORK
            | {
                P.IDENTITY_ROLE_GRANT,
                P.IDENTITY_GLASS_BREAK,
                P.JOURNEYS_JOURNEY_EDIT,
                P.JOURNEYS_JOURNEY_LAUNCH,
                P.JOURNEYS_PEOPLE_ENROL,
                P.INBOX_TASK_READ,
                P.INBOX_TASK_DO,
                P.VENDORS_VENDOR_READ,
                P.CONTACTS_RECORD_READ,
                P.CONTACTS_IMPORT_RUN,
                P.PERMISSIONS_ENTRY_READ,
                P.SEGMENTS_SEGMENT_EDIT,
                P.CONTENT_TEMPLATE_EDIT,
                P.CAMPAIGNS_CAMPAIGN_EDIT,
                P.CAMPAIGNS_CAMPAIGN_LAUNCH,
                P.DELIVERY_RECEIPT_READ,
            }
        ),
        Role.AUTHOR: frozenset(
            {
                P.CONTENT_TEMPLATE_READ,
                P.CONTENT_TEMPLATE_EDIT,
                P.SEGMENTS_SEGMENT_READ,
                P.CAMPAIGNS_CAMPAIGN_READ,
                P.JOURNEYS_JOURNEY_READ,
                P.GATE_DECIDE_RUN,
            }
        ),
        Role.ANALYST: frozenset(
            _READ_WORK | {P.CONTACTS_RECORD_READ, P.SEGMENTS_SEGMENT_EDIT, P.IDENTITY_GLASS_BREAK}
        ),
        Role.CARE_COORDINATOR: frozenset(
            _READ_WORK
            | {
                P.IDENTITY_ROLE_GRANT,
                P.JOURNEYS_JOURNEY_EDIT,
                P.JOURNEYS_JOURNEY_LAUNCH,
                P.JOURNEYS_PEOPLE_READ,
                P.JOURNEYS_PEOPLE_ENROL,
                P.INBOX_TASK_READ,
                P.INBOX_TASK_DO,
                P.INBOX_CONVERSATION_READ,
                P.INBOX_LETTER_WRITE,
                P.VENDORS_VENDOR_READ,
                P.CONTACTS_RECORD_MERGE,
                P.CONTACTS_RECORD_READ,
                P.CONTACTS_PHI_REVEAL,
                P.CONTACTS_IMPORT_RUN,
                P.PERMISSIONS_ENTRY_READ,
                P.PERMISSIONS_ENTRY_WRITE,
                P.SEGMENTS_SEGMENT_EDIT,
                P.CONTENT_TEMPLATE_REVIEW,
                P.CAMPAIGNS_CAMPAIGN_EDIT,
                P.CAMPAIGNS_CAMPAIGN_LAUNCH,
                P.CAMPAIGNS_RECIPIENTS_READ,
                P.DELIVERY_RECEIPT_READ,
                P.DELIVERY_MESSAGE_RECALL,
                P.SEALEDMAIL_KEY_READ,
                P.SEALEDMAIL_KEY_EDIT,
                P.PATIENTS_CODE_ISSUE,
            }
        ),
        Role.DEVELOPER: frozenset(
            {
                P.IDENTITY_APIKEY_MANAGE,
                P.TIMELINE_EVENT_WRITE,
                P.DELIVERY_MESSAGE_SUBMIT,
                P.VENDORS_VENDOR_READ,
                P.ORGANIZATION_SETTINGS_READ,
                P.CONTENT_TEMPLATE_READ,
                P.SEGMENTS_SEGMENT_READ,
                P.GATE_DECIDE_RUN,
            }
        ),
        Role.AUDITOR: frozenset(
            _READ_WORK
            | {
                P.AUDIT_LOG_READ,
                P.AUDIT_LOG_VERIFY,
                P.DELIVERY_RECEIPT_READ,
                P.PERMISSIONS_ENTRY_READ,
                P.VENDORS_VENDOR_READ,
                P.ORGANIZATION_SETTINGS_READ,
            }
        ),
    }
)
"""Which role opens what. Who edits a campaign cannot approve one, who edits a template cannot review one,
who manages staff sees no patient, and who only watches changes nothing; the packages also compare persons,
for those who have several roles."""

APART = (
    (P.CAMPAIGNS_CAMPAIGN_EDIT, P.CAMPAIGNS_CAMPAIGN_APPROVE),
    (P.CAMPAIGNS_CAMPAIGN_LAUNCH, P.CAMPAIGNS_CAMPAIGN_APPROVE),
    (P.CONTENT_TEMPLATE_EDIT, P.CONTENT_TEMPLATE_REVIEW),
    (P.JOURNEYS_JOURNEY_EDIT, P.JOURNEYS_JOURNEY_APPROVE),
    (P.JOURNEYS_JOURNEY_LAUNCH, P.JOURNEYS_JOURNEY_APPROVE),
    (P.IDENTITY_STAFF_MANAGE, P.CONTACTS_PHI_REVEAL),
    (P.IDENTITY_STAFF_MANAGE, P.CONTACTS_RECORD_MERGE),
    (P.IDENTITY_STAFF_MANAGE, P.AUDIT_LOG_VERIFY),
    (P.IDENTITY_STAFF_MANAGE, P.AUDIT_ACCESS_REVIEW),
    (P.IDENTITY_GLASS_BREAK, P.AUDIT_ACCESS_REVIEW),
)
"""Pairs that no single role holds (separation of duties, 45 CFR 164.308(a)(3), (a)(4))."""

FOR_PROGRAMS = frozenset({P.TIMELINE_EVENT_WRITE, P.IDENTITY_SCIM_PROVISION, P.DELIVERY_MESSAGE_SUBMIT})
"""What no person does: it is no part of a role that an organization makes."""

BEHIND_GLASS = frozenset(
    {
        P.CONTACTS_RECORD_READ,
        P.CONTACTS_PHI_REVEAL,
        P.PERMISSIONS_ENTRY_READ,
        P.CAMPAIGNS_RECIPIENTS_READ,
        P.JOURNEYS_PEOPLE_READ,
        P.DELIVERY_RECEIPT_READ,
        P.DELIVERY_MESSAGE_RECALL,
        P.PATIENTS_CODE_ISSUE,
    }
)
"""What an emergency may need: a sight of patients, and taking a wrong message back (45 CFR 164.312(a)(2)(ii))."""
GLASS_MINUTES = (15, 30, 60)


def both_sides(held: Iterable[Permission]) -> tuple[tuple[Permission, Permission], ...]:
    """Return the pairs of separated duties that are both in `held`."""
    own = frozenset(held)
    return tuple(pair for pair in APART if own.issuperset(pair))


def behind_glass(held: Iterable[str]) -> tuple[Permission, ...]:
    """Return what somebody who holds `held` may take in an emergency, one at a time.

    Nothing they hold already, and nothing whose other side they hold: an emergency suspends no separation
    of duties. Nothing at all without the permission to ask.
    """
    own = frozenset(Permission(word) for word in held)
    if P.IDENTITY_GLASS_BREAK not in own:
        return ()
    before = both_sides(own)
    return tuple(word for word in sorted(BEHIND_GLASS - own) if both_sides(own | {word}) == before)


NOT_FOR_KEYS = frozenset(
    {
        P.IDENTITY_STAFF_MANAGE,
        P.IDENTITY_APIKEY_MANAGE,
        P.IDENTITY_ROLE_GRANT,
        P.IDENTITY_SESSION_END,
        P.IDENTITY_GLASS_BREAK,
        P.CONTACTS_RECORD_MERGE,
        P.AUDIT_ACCESS_REVIEW,
        P.CAMPAIGNS_CAMPAIGN_APPROVE,
        P.CONTENT_TEMPLATE_REVIEW,
        P.JOURNEYS_JOURNEY_APPROVE,
        P.VENDORS_VENDOR_EDIT,
    }
)
"""What a person does with their own name; no API key may."""


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """Return everything that `roles` together open."""
    return frozenset().union(*(ROLES[role] for role in roles))


SIGHT_OF_TASKS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.PRIVACY_OFFICER: frozenset(
            {
                P.INBOX_TASK_READ,
                P.CONTACTS_RECORD_READ,
                P.CONTACTS_PHI_REVEAL,
                P.INBOX_CONVERSATION_READ,
                P.PRIVACY_REQUEST_DO,
            }
        ),
        Role.CARE_COORDINATOR: frozenset(
            {
                P.INBOX_TASK_READ,
                P.CONTACTS_RECORD_READ,
                P.CONTACTS_PHI_REVEAL,
                P.INBOX_CONVERSATION_READ,
            }
        ),
        Role.MARKETER: frozenset({P.INBOX_TASK_READ, P.CONTACTS_RECORD_READ}),
    }
)
"""What somebody sees already to whom the tasks of a built-in role tell nothing new, the widest sight first.

A task's text may tell of a patient what its role may see, and no more (minimum necessary, 45 CFR 164.514(d)(2)).
"""


def tasks_of(held: Iterable[str]) -> Role | None:
    """Return the built-in role whose tasks reach somebody who holds `held`, by whatever roles: the widest they see as much as."""
    own = frozenset(held)
    return next((role for role, sight in SIGHT_OF_TASKS.items() if sight <= own), None)


SEES_PATIENTS = frozenset({P.CONTACTS_PHI_REVEAL, P.PATIENTS_CODE_ISSUE})
"""What opens patients' data or lets somebody in as a patient."""


def givable(held: Iterable[str]) -> frozenset[Permission]:
    """Return the scopes that somebody with the permissions `held` may give to a new API key.

    A key never does more than its maker. Who manages staff could give any role, and so may give any
    scope, but not a sight of patients.
    """
    own = frozenset(Permission(word) for word in held)
    if P.IDENTITY_STAFF_MANAGE in own:
        return frozenset(Permission) - NOT_FOR_KEYS - SEES_PATIENTS
    return own - NOT_FOR_KEYS


def checked_scopes(scopes: Iterable[str], allowed: Iterable[Permission]) -> tuple[Permission, ...]:
    """Return the scopes of a new API key; raises `BadInput` for one that is unknown or not `allowed`."""
    may = frozenset(allowed)
    wanted = set()
    for scope in scopes:
        try:
            permission = Permission(scope)
        except ValueError:
            raise BadInput(f"There is no permission {scope!r}.", place="scopes") from None
        if permission in NOT_FOR_KEYS:
            raise BadInput(f"{permission} is for people, not for keys.", place="scopes")
        if permission not in may:
            raise BadInput(f"You may not give {permission} to a key.", place="scopes")
        wanted.add(permission)
    if not wanted:
        raise BadInput("A key needs at least one scope.", place="scopes")
    return tuple(sorted(wanted))


class GuardKind(StrEnum):
    """What failures are counted by."""

    ACCOUNT = "account"
    NETWORK = "network"


TRIES = {GuardKind.ACCOUNT: 5, GuardKind.NETWORK: 30}
"""Failures before the first pause; a clinic's staff share one address, so a network has more."""
FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=4)
FORGET_AFTER = timedelta(hours=24)
"""Without a failure for so long, counting starts again."""


def pause_after(kind: GuardKind, failures: int) -> timedelta | None:
    """Return how long sign-in pauses after this many failures in a row, None for not at all.

    Fifteen minutes after five, then twice as long after each further five, at most four hours.
    """
    tries = TRIES[kind]
    if failures < tries or failures % tries:
        return None
    return min(FIRST_PAUSE * (1 << min(failures // tries - 1, 10)), LONGEST_PAUSE)


IDLE = timedelta(minutes=15)
"""45 CFR 164.312(a)(2)(iii), automatic logoff."""
ABSOLUTE = timedelta(hours=12)
SECOND_STEP = timedelta(minutes=10)
"""How long the password step waits for the code."""
INVITATION = timedelta(hours=72)


class End(StrEnum):
    """Why a session is over."""

    IDLE = "idle"
    ABSOLUTE = "absolute"


def session_end(started: datetime, seen: datetime, now: datetime) -> End | None:
    """Return why a session is over at `now`, None while it lives."""
    if now - started >= ABSOLUTE:
        return End.ABSOLUTE
    if now - seen >= IDLE:
        return End.IDLE
    return None


TOTP_PERIOD = 30
TOTP_DRIFT = 1
"""Steps by which a phone's clock may be off, each way."""


def totp_steps(now: datetime, last_used: int) -> tuple[int, ...]:
    """Return the time steps whose code is good at `now`: near it, and later than the last one used."""
    step = int(now.timestamp()) // TOTP_PERIOD
    return tuple(near for near in range(step - TOTP_DRIFT, step + TOTP_DRIFT + 1) if near > last_used)
