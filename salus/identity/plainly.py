"""What each permission lets somebody do, in plain words, by the rooms of the console."""

from __future__ import annotations

from collections.abc import Iterable

from salus.identity.contracts import Permission

P = Permission
GROUPS: dict[str, dict[Permission, str]] = {
    "People": {
        P.CONTACTS_RECORD_READ: "See contacts, with protected values masked",
        P.CONTACTS_PHI_REVEAL: "Open protected values, for a purpose",
        P.CONTACTS_IMPORT_RUN: "Import contacts",
        P.CONTACTS_RECORD_MERGE: "Compare records of the same person, merge them and split them",
        P.PERMISSIONS_ENTRY_READ: "See consents and choices",
        P.PERMISSIONS_ENTRY_WRITE: "Record consents and choices",
        P.SEGMENTS_SEGMENT_READ: "See segments",
        P.SEGMENTS_SEGMENT_EDIT: "Make and change segments",
        P.PATIENTS_CODE_ISSUE: "Hand a patient a sign-in code",
        P.TIMELINE_EVENT_WRITE: "Tell Salus what happened to people",
        P.SEALEDMAIL_KEY_READ: "See the keys that mail is encrypted to",
        P.SEALEDMAIL_KEY_EDIT: "Put keys for encrypted mail on file, and revoke them",
    },
    "Messages": {
        P.CONTENT_TEMPLATE_READ: "See templates",
        P.CONTENT_TEMPLATE_EDIT: "Write templates",
        P.CONTENT_TEMPLATE_REVIEW: "Review templates",
        P.CAMPAIGNS_CAMPAIGN_READ: "See campaigns",
        P.CAMPAIGNS_CAMPAIGN_EDIT: "Plan campaigns",
        P.CAMPAIGNS_CAMPAIGN_APPROVE: "Approve campaigns",
        P.CAMPAIGNS_CAMPAIGN_LAUNCH: "Launch, pause and cancel campaigns",
        P.CAMPAIGNS_REPORT_READ: "See reports",
        P.CAMPAIGNS_RECIPIENTS_READ: "See who exactly is behind a figure",
        P.GATE_DECIDE_RUN: "Ask the gate who may be written to",
        P.DELIVERY_RECEIPT_READ: "See receipts",
        P.DELIVERY_MESSAGE_SUBMIT: "Submit messages of a program's own words",
        P.DELIVERY_MESSAGE_RECALL: "Take a portal message back",
    },
    "Journeys and tasks": {
        P.JOURNEYS_JOURNEY_READ: "See journeys",
        P.JOURNEYS_JOURNEY_EDIT: "Make journeys",
        P.JOURNEYS_JOURNEY_APPROVE: "Approve journeys",
        P.JOURNEYS_JOURNEY_LAUNCH: "Start, pause and stop journeys",
        P.JOURNEYS_PEOPLE_READ: "See who is in a journey",
        P.JOURNEYS_PEOPLE_ENROL: "Put people into a journey",
        P.INBOX_TASK_READ: "See tasks",
        P.INBOX_TASK_DO: "Do tasks",
        P.INBOX_CONVERSATION_READ: "Read what patients write in the portal, and the answers",
        P.INBOX_LETTER_WRITE: "Write to a patient in the portal",
    },
    "Privacy office": {
        P.AUDIT_LOG_READ: "Read the audit log",
        P.AUDIT_LOG_VERIFY: "Verify the audit log",
        P.AUDIT_ACCESS_REVIEW: "Review who looked at whom, and emergency access",
        P.VENDORS_VENDOR_READ: "See vendors",
        P.VENDORS_VENDOR_EDIT: "Record vendors and agreements",
        P.IDENTITY_GLASS_BREAK: "Take emergency access, with a reason",
    },
    "Settings": {
        P.PRIVACY_REQUEST_DO: "Answer what people ask about their own record: copies, erasure, accounting",
        P.IDENTITY_STAFF_MANAGE: "Invite staff, change their roles and access",
        P.IDENTITY_ROLE_GRANT: "Make roles, out of what one holds oneself",
        P.IDENTITY_SESSION_END: "See where everybody is signed in, and end it",
        P.IDENTITY_APIKEY_MANAGE: "Make and revoke API keys",
        P.IDENTITY_SCIM_PROVISION: "Bring staff in from a directory",
        P.ORGANIZATION_SETTINGS_READ: "See settings",
        P.ORGANIZATION_SETTINGS_EDIT: "Change settings",
    },
}
WORDS: dict[str, str] = {word.value: said for group in GROUPS.values() for word, said in group.items()}


def grouped(permissions: Iterable[Permission]) -> list[tuple[str, list[tuple[Permission, str]]]]:
    """Return permissions with their words under the names of their rooms, in order; empty rooms are left out."""
    wanted = frozenset(permissions)
    rooms = [(room, [pair for pair in group.items() if pair[0] in wanted]) for room, group in GROUPS.items()]
    return [(room, pairs) for room, pairs in rooms if pairs]
