"""What other packages may know of identity: permissions, roles, organizations, staff, API keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from salus.kernel.acting import Actor
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Profile, SenderRole


class Permission(StrEnum):
    """Everything that may be allowed, as "area:object:verb"; the name is the value in capitals."""

    CONTACTS_RECORD_READ = "contacts:record:read"
    """Contacts with their protected values masked."""
    CONTACTS_PHI_REVEAL = "contacts:phi:reveal"
    """Open protected values, for a purpose, logged."""
    CONTACTS_IMPORT_RUN = "contacts:import:run"
    CONTACTS_RECORD_MERGE = "contacts:record:merge"
    """Compare two records side by side, opened, make them one person, and take that apart again."""
    PERMISSIONS_ENTRY_READ = "permissions:entry:read"
    PERMISSIONS_ENTRY_WRITE = "permissions:entry:write"
    SEGMENTS_SEGMENT_READ = "segments:segment:read"
    SEGMENTS_SEGMENT_EDIT = "segments:segment:edit"
    CONTENT_TEMPLATE_READ = "content:template:read"
    CONTENT_TEMPLATE_EDIT = "content:template:edit"
    CONTENT_TEMPLATE_REVIEW = "content:template:review"
    CAMPAIGNS_CAMPAIGN_READ = "campaigns:campaign:read"
    CAMPAIGNS_CAMPAIGN_EDIT = "campaigns:campaign:edit"
    CAMPAIGNS_CAMPAIGN_APPROVE = "campaigns:campaign:approve"
    CAMPAIGNS_CAMPAIGN_LAUNCH = "campaigns:campaign:launch"
    """Launch, pause, resume and cancel."""
    CAMPAIGNS_REPORT_READ = "campaigns:report:read"
    CAMPAIGNS_RECIPIENTS_READ = "campaigns:recipients:read"
    """Who exactly is behind a figure."""
    JOURNEYS_JOURNEY_READ = "journeys:journey:read"
    JOURNEYS_JOURNEY_EDIT = "journeys:journey:edit"
    JOURNEYS_JOURNEY_APPROVE = "journeys:journey:approve"
    JOURNEYS_JOURNEY_LAUNCH = "journeys:journey:launch"
    """Go live, pause, resume, close, stop, and move people to another version."""
    JOURNEYS_PEOPLE_READ = "journeys:people:read"
    """Who exactly is behind a figure, and one person's diary."""
    JOURNEYS_PEOPLE_ENROL = "journeys:people:enrol"
    """Put people into a journey by hand, by file or by API."""
    INBOX_TASK_READ = "inbox:task:read"
    INBOX_TASK_DO = "inbox:task:do"
    INBOX_CONVERSATION_READ = "inbox:conversation:read"
    """What patients write in the portal, what was answered, and the files of both."""
    INBOX_LETTER_WRITE = "inbox:letter:write"
    """Write to one patient in the portal, in words of one's own, and attach files."""
    TIMELINE_EVENT_WRITE = "timeline:event:write"
    """Tell Salus what happened to people: appointments, results, visits, orders."""
    VENDORS_VENDOR_READ = "vendors:vendor:read"
    VENDORS_VENDOR_EDIT = "vendors:vendor:edit"
    DELIVERY_RECEIPT_READ = "delivery:receipt:read"
    DELIVERY_MESSAGE_SUBMIT = "delivery:message:submit"
    """Hand over messages of a program's own words, and say what they are for and what they tell."""
    DELIVERY_MESSAGE_RECALL = "delivery:message:recall"
    SEALEDMAIL_KEY_READ = "sealedmail:key:read"
    SEALEDMAIL_KEY_EDIT = "sealedmail:key:edit"
    """Put keys for encrypted mail on file, and revoke them."""
    GATE_DECIDE_RUN = "gate:decide:run"
    PATIENTS_CODE_ISSUE = "patients:code:issue"
    """Hand a sign-in code to a patient whose identity was checked."""
    AUDIT_LOG_READ = "audit:log:read"
    AUDIT_LOG_VERIFY = "audit:log:verify"
    PRIVACY_REQUEST_DO = "privacy:request:do"
    """Receive, approve and do what people ask about their own record: export, erasure, accounting."""
    IDENTITY_STAFF_MANAGE = "identity:staff:manage"
    IDENTITY_APIKEY_MANAGE = "identity:apikey:manage"
    IDENTITY_ROLE_GRANT = "identity:role:grant"
    """Make roles of the organization's own, out of what one holds oneself."""
    IDENTITY_SESSION_END = "identity:session:end"
    """See where everybody is signed in, and end that."""
    IDENTITY_GLASS_BREAK = "identity:glass:break"
    """Take one narrow permission for a short time in an emergency, with a reason."""
    IDENTITY_SCIM_PROVISION = "identity:scim:provision"
    """Bring staff in, change them and take their access away, as a directory does (SCIM 2.0)."""
    AUDIT_ACCESS_REVIEW = "audit:access:review"
    """Examine who signed in and who looked at whom, and sign for it."""
    ORGANIZATION_SETTINGS_READ = "organization:settings:read"
    ORGANIZATION_SETTINGS_EDIT = "organization:settings:edit"


class Idempotency(StrEnum):
    """What the header `Idempotency-Key` is to a call for programs."""

    OPTIONAL = "optional"
    REQUIRED = "required"
    READS = "reads"
    """The call changes nothing, whatever its method: it is answered anew each time, and the header means nothing."""


class Role(StrEnum):
    """What a person is to the organization; the permissions of each are in `rules.ROLES`."""

    ADMINISTRATOR = "administrator"
    SECURITY_OFFICER = "security_officer"
    PRIVACY_OFFICER = "privacy_officer"
    MARKETER = "marketer"
    AUTHOR = "author"
    ANALYST = "analyst"
    CARE_COORDINATOR = "care_coordinator"
    DEVELOPER = "developer"
    AUDITOR = "auditor"

    @property
    def words(self) -> str:
        """Return the role as people say it: "Privacy officer"."""
        return self.value.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Organization:
    """One organization: what the law and the messages need to know of it."""

    id: UUID
    name: str
    slug: str
    """A short word for addresses and file names."""
    sender_role: SenderRole
    profile: Profile
    postal_address: str
    phone: str
    sending_domain: str
    time_zone: str
    demo: bool


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A person who works here; the id is the one that actors and audit entries carry."""

    id: UUID
    name: str
    email: str = field(repr=False)
    roles: tuple[Role, ...]
    active: bool
    second_factor: bool
    """Whether a second factor is set up; without it there is no way in."""
    own_roles: tuple[UUID, ...] = ()
    """Roles that the organization made itself."""


@dataclass(frozen=True, slots=True)
class OwnRole:
    """A role of the organization's own: what it should open, and what holders of that have agreed to."""

    id: UUID
    name: str
    wanted: tuple[Permission, ...]
    granted: tuple[Permission, ...]
    """What it really opens."""
    people: int
    """How many have it."""

    @property
    def waiting(self) -> tuple[Permission, ...]:
        """Return what nobody who holds it has agreed to."""
        return tuple(each for each in self.wanted if each not in self.granted)


class Finding(StrEnum):
    """What a reviewer found."""

    AS_EXPECTED = "as_expected"
    FOLLOWED_UP = "followed_up"
    """Something was asked, mended or reported; the note says what."""

    @property
    def words(self) -> str:
        """Return the finding as people say it."""
        return "As it should be" if self is Finding.AS_EXPECTED else "Something was followed up"


@dataclass(frozen=True, slots=True)
class Glass:
    """One emergency access: who, to what, why, until when, and what its review found."""

    id: UUID
    staff_id: UUID
    permission: Permission
    reason: Phi[str]
    opened_at: datetime
    until: datetime
    """When it ends or ended; earlier than asked for when it was given back."""
    reviewed_by: UUID | None
    reviewed_at: datetime | None
    finding: Finding | None
    note: Phi[str]


@dataclass(frozen=True, slots=True)
class ApiKeyFacts:
    """An API key without its secret, which is shown once and kept only as a hash."""

    id: UUID
    name: str
    scopes: tuple[Permission, ...]
    created_at: datetime
    created_by: UUID | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    words: Mapping[str, str] = field(default_factory=dict)
    """What the messages that its program submits are, where they do not say so themselves."""


@dataclass(frozen=True, slots=True)
class Program:
    """Who comes with an API key, and what the key says of its messages where they do not say so themselves."""

    actor: Actor
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    """A ready sign-in of the demo organization; it works on loopback only."""

    role: Role
    name: str
    email: str
    password: str = field(repr=False)
    code: str = field(repr=False)
    """The code of this moment; it works for half a minute or so."""
    otpauth: str = field(repr=False)
    """The address that an authenticator app takes."""
