"""What other packages may know of the audit log: an entry, a checkpoint, a proof, a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from salus.kernel.acting import Actor


class Action(StrEnum):
    """Everything that is ever recorded, as "area:object:verb"; a word that is not here is refused."""

    KEYS_ORGANIZATION_CREATE = "keys:organization:create"
    KEYS_ORGANIZATION_DESTROY = "keys:organization:destroy"
    KEYS_KEY_CREATE = "keys:key:create"
    KEYS_KEY_ROTATE = "keys:key:rotate"
    KEYS_KEY_DESTROY = "keys:key:destroy"
    KEYS_KEY_MOVE = "keys:key:move"
    KEYS_RESEAL_FINISH = "keys:reseal:finish"
    KEYS_KIT_CREATE = "keys:kit:create"

    AUDIT_LOG_READ = "audit:log:read"
    AUDIT_LOG_VERIFY = "audit:log:verify"
    AUDIT_LOG_EXPORT = "audit:log:export"
    AUDIT_LOG_COPY = "audit:log:copy"
    """A witness got a checkpoint; or a copy outside began to fail, or goes on."""
    AUDIT_COPY_CHANGE = "audit:copy:change"
    """Somebody said how often a witness is written to, or that it be done now."""
    ACCESS_READ = "audit:access:read"
    ACCESS_REVIEW = "audit:access:review"
    """Somebody examined who signed in and who looked at whom in a period, and signed for it."""

    ORGANIZATION_CREATE = "identity:organization:create"
    ORGANIZATION_CHANGE = "identity:organization:change"
    STAFF_CREATE = "identity:staff:create"
    STAFF_CHANGE = "identity:staff:change"
    STAFF_DEACTIVATE = "identity:staff:deactivate"
    STAFF_SIGN_IN = "identity:staff:sign_in"
    STAFF_SIGN_ON = "identity:staff:sign_on"
    """An identity provider said who somebody is; `details` name it."""
    PROVIDER_CHANGE = "identity:provider:change"
    STAFF_SIGN_OUT = "identity:staff:sign_out"
    STAFF_LOCK_OUT = "identity:staff:lock_out"
    STAFF_SECOND_FACTOR = "identity:staff:second_factor"
    STAFF_CREDENTIAL = "identity:staff:credential"
    ROLE_GRANT = "identity:role:grant"
    ROLE_REVOKE = "identity:role:revoke"
    ROLE_CHANGE = "identity:role:change"
    """A role of the organization's own was made, changed or removed."""
    SESSION_END = "identity:session:end"
    """Somebody's sessions were ended by hand."""
    GLASS_OPEN = "identity:glass:open"
    GLASS_CLOSE = "identity:glass:close"
    GLASS_REVIEW = "identity:glass:review"
    API_KEY_CREATE = "identity:apikey:create"
    API_KEY_CHANGE = "identity:apikey:change"
    API_KEY_REVOKE = "identity:apikey:revoke"
    API_KEY_USE = "identity:apikey:use"
    PERMISSION_REFUSE = "identity:permission:refuse"

    CONTACT_CREATE = "contacts:record:create"
    CONTACT_CHANGE = "contacts:record:change"
    CONTACT_MERGE = "contacts:record:merge"
    CONTACT_READ = "contacts:record:read"
    CONTACT_REVEAL = "contacts:phi:reveal"
    CONTACT_SEARCH = "contacts:record:search"
    CONTACT_EXPORT = "contacts:record:export"
    CONTACT_ERASE = "contacts:record:erase"
    CONTACT_JOIN = "contacts:record:join"
    """Two records were found to be one person; `CONTACT_MERGE` is what an import tells of people."""
    CONTACT_PART = "contacts:record:part"
    CONTACT_APART = "contacts:record:tell_apart"

    IMPORT_START = "intake:import:start"
    IMPORT_FINISH = "intake:import:finish"
    IMPORT_CANCEL = "intake:import:cancel"
    MAPPING_SAVE = "intake:mapping:save"
    REJECT_READ = "intake:reject:read"

    PERMISSION_APPEND = "permissions:entry:append"
    PERMISSION_READ = "permissions:entry:read"

    TIMELINE_APPEND = "timeline:event:append"
    TIMELINE_READ = "timeline:event:read"

    TEMPLATE_CREATE = "content:template:create"
    TEMPLATE_VERSION = "content:version:create"
    TEMPLATE_CLASSIFY = "content:version:classify"
    TEMPLATE_CONFIRM = "content:version:confirm"
    TEMPLATE_DECLINE = "content:version:decline"
    TEMPLATE_PREVIEW = "content:version:preview"

    SEGMENT_SAVE = "audiences:segment:save"
    SEGMENT_COUNT = "audiences:segment:count"
    SEGMENT_SAMPLE = "audiences:segment:sample"
    SEGMENT_FREEZE = "audiences:segment:freeze"

    FILE_ADD = "files:file:add"
    FILE_READ = "files:file:read"
    FILE_ERASE = "files:file:erase"

    GATE_DECIDE = "gate:clearance:decide"
    GATE_EXPLAIN = "gate:clearance:explain"

    MESSAGE_PLAN = "delivery:message:plan"
    MESSAGE_RELEASE = "delivery:message:release"
    MESSAGE_PAUSE = "delivery:message:pause"
    MESSAGE_RESUME = "delivery:message:resume"
    MESSAGE_CANCEL = "delivery:message:cancel"
    MESSAGE_RECALL = "delivery:message:recall"
    MESSAGE_EXPIRE = "delivery:message:expire"
    MESSAGE_DEPOSIT = "delivery:message:deposit"
    MESSAGE_ERASE = "delivery:message:erase"
    """The words and files of a message that had ended in the portal were erased."""
    PORTAL_RULE = "delivery:portal:rule"
    ROUTE_CHANGE = "delivery:route:change"
    ROUTE_TEST = "delivery:route:test"
    """A test message was sent, or somebody saw it arrive."""
    TLS_REPORT_SEND = "domains:report:send"
    """Domains were told how TLS to them went, as they had asked."""
    DOMAIN_REPORT_TAKE = "domains:report:take"
    """What others report of the sending domain was kept."""
    RECEIPTS_RECORD = "delivery:receipts:record"
    RECEIPT_READ = "delivery:receipt:read"
    BOUNCE_RECORD = "delivery:bounce:record"
    SAFEGUARDS_POLICY_SAVE = "safeguards:policy:save"
    SAFEGUARDS_WISH_SET = "safeguards:wish:set"
    HOLD_PUT = "retention:hold:put"
    HOLD_LIFT = "retention:hold:lift"
    RETENTION_SET = "retention:rule:set"
    RETENTION_EMPTY = "retention:content:empty"
    """What was kept for long enough was emptied: of which kind, how many, after how many days."""
    SHAPING_TAKE = "shaping:measure:take"
    """A destination's replies set off that its mail is throttled, suspended or goes another way for a while."""
    SHAPING_LIFT = "shaping:measure:lift"

    CAMPAIGN_CREATE = "campaigns:campaign:create"
    CAMPAIGN_CHANGE = "campaigns:campaign:change"
    CAMPAIGN_PLAN = "campaigns:campaign:plan"
    CAMPAIGN_APPROVE = "campaigns:campaign:approve"
    CAMPAIGN_REJECT = "campaigns:campaign:reject"
    CAMPAIGN_LAUNCH = "campaigns:campaign:launch"
    CAMPAIGN_PAUSE = "campaigns:campaign:pause"
    CAMPAIGN_RESUME = "campaigns:campaign:resume"
    CAMPAIGN_CANCEL = "campaigns:campaign:cancel"

    PATIENT_CHALLENGE = "patients:session:challenge"
    PATIENT_SIGN_IN = "patients:session:sign_in"
    PATIENT_SIGN_OUT = "patients:session:sign_out"
    PATIENT_LOCK_OUT = "patients:session:lock_out"
    PATIENT_CODE_ISSUE = "patients:code:issue"
    PATIENT_PASSKEY = "patients:passkey:change"

    PORTAL_READ = "portal:message:read"
    PORTAL_PREFERENCES = "portal:preferences:change"
    PORTAL_UNSUBSCRIBE = "portal:preferences:unsubscribe"
    PORTAL_ACCOUNTING = "portal:accounting:read"

    JOURNEY_CREATE = "journeys:journey:create"
    JOURNEY_CHANGE = "journeys:journey:change"
    JOURNEY_SUBMIT = "journeys:journey:submit"
    JOURNEY_APPROVE = "journeys:journey:approve"
    JOURNEY_REJECT = "journeys:journey:reject"
    JOURNEY_LAUNCH = "journeys:journey:launch"
    JOURNEY_PAUSE = "journeys:journey:pause"
    JOURNEY_RESUME = "journeys:journey:resume"
    JOURNEY_CLOSE = "journeys:journey:close"
    JOURNEY_STOP = "journeys:journey:stop"
    JOURNEY_SIMULATE = "journeys:journey:simulate"
    JOURNEY_MAP = "journeys:people:map"
    """People inside were moved to another version by a mapping of steps."""
    JOURNEY_ENROL = "journeys:people:enrol"
    JOURNEY_MOVE = "journeys:people:move"
    """A batch of people went on: how many, through which steps."""
    JOURNEY_PEOPLE_READ = "journeys:people:read"

    CONVERSATION_READ = "inbox:conversation:read"
    CONVERSATION_HEAR = "inbox:conversation:hear"
    """A patient wrote in the portal."""
    CONVERSATION_SETTLE = "inbox:conversation:settle"
    LETTER_WRITE = "inbox:letter:write"
    """Somebody wrote to a patient in words of their own; `outcome` says whether the gate let it go."""
    TASK_CREATE = "inbox:task:create"
    TASK_READ = "inbox:task:read"
    TASK_TAKE = "inbox:task:take"
    """Somebody said that they do it, or gave it back."""
    TASK_DONE = "inbox:task:done"
    TASK_EXPIRE = "inbox:task:expire"

    VENDOR_CHANGE = "vendors:vendor:change"
    VENDOR_AGREEMENT = "vendors:agreement:record"
    VENDOR_SERVICE = "vendors:service:change"
    SEALED_KEY_ADD = "sealedmail:key:add"
    """A key of a person or of a partner's domain was put on file; `outcome` says who vouches for it."""
    SEALED_KEY_REVOKE = "sealedmail:key:revoke"
    """A key is used no more; `outcome` says why."""
    SEALED_KEY_LOOK_UP = "sealedmail:key:look_up"
    SEALED_OWN_CHANGE = "sealedmail:own:change"
    SEALED_ANCHOR_CHANGE = "sealedmail:anchor:change"
    SEALED_CHOICE_CHANGE = "sealedmail:choice:change"
    CALL_RECORD = "delivery:call:record"
    """A signed webhook was answered, or given up."""

    SEGMENT_MEMBERS = "audiences:members:change"
    """People were put on, or taken off, a static segment."""

    RECOVERY_BACKUP = "recovery:backup:create"
    RECOVERY_REMOVE = "recovery:backup:remove"
    RECOVERY_HOLD = "recovery:hold:place"
    RECOVERY_RELEASE = "recovery:hold:release"
    RECOVERY_RESTORE = "recovery:restore:run"
    RECOVERY_DRILL = "recovery:drill:run"

    PRIVACY_REQUEST = "privacy:request:receive"
    """A person asked for their record, its erasure or an accounting."""
    PRIVACY_EXTEND = "privacy:request:extend"
    PRIVACY_DECIDE = "privacy:request:decide"
    PRIVACY_EXPORT = "privacy:record:export"
    PRIVACY_ERASE = "privacy:record:erase"
    """One package was asked to erase a person; `details` name it and count what went and what stays."""
    PRIVACY_DISCLOSE = "privacy:disclosure:record"
    PRIVACY_ACCOUNT = "privacy:accounting:read"

    REPORT_READ = "reports:campaign:read"
    REPORT_RECIPIENTS = "reports:recipients:read"
    REPORT_EXPORT = "reports:campaign:export"


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What `record_many` takes; the meaning of each field is that of `Entry`."""

    action: str
    actor: Actor
    object_kind: str
    object_id: UUID | None = None
    patient_id: UUID | None = None
    fields: tuple[str, ...] = ()
    purpose: str = ""
    outcome: str = "ok"
    reason: str = ""
    rule_version: str = ""
    details: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entries to show; an empty field does not narrow. `action` may be a prefix ("keys:")."""

    action: str = ""
    actor_id: UUID | None = None
    patient_id: UUID | None = None
    object_kind: str = ""
    object_id: UUID | None = None
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None
    looks: bool = False
    """Only acts by which somebody saw who a person is or what is known of them."""


class Signer(Protocol):
    """Signs checkpoints for one organization's log; wiring gives one made by `keys`."""

    def name(self, organization_id: UUID) -> str:
        """Return the key name of a C2SP signed note (no spaces, no plus)."""
        ...

    def public_key(self, organization_id: UUID) -> bytes:
        """Return the raw 32-byte Ed25519 public key."""
        ...

    def public_keys(self, organization_id: UUID) -> tuple[bytes, ...]:
        """Return the public keys of everything that was ever signed, the present one first."""
        ...

    def sign(self, organization_id: UUID, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature over `message`."""
        ...

    def verify(self, organization_id: UUID, signature: bytes, message: bytes) -> bool:
        """Return whether `signature` is this organization's over `message`."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as stored; `fields` are field names, never values; `details` ids and counts only."""

    id: UUID
    at: datetime
    action: str
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    role: str
    session_id: str
    ip: str
    object_kind: str
    object_id: UUID | None
    patient_id: UUID | None
    fields: tuple[str, ...]
    purpose: str
    outcome: str
    reason: str
    rule_version: str
    details: dict[str, str | int]
    position: int | None
    """Place in the log; None while it waits for the sequencer (seconds)."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What one person or key did in a period."""

    actor_kind: str
    actor_id: UUID
    entries: int
    looks: int
    patients: int
    """Different people among those looks that name one."""
    reveals: int
    exports: int
    at_odd_hours: int
    """Looks outside the day that was given."""
    sign_ins: int
    failed_sign_ins: int
    lock_outs: int
    networks: int
    """Different addresses that they signed in from."""
    refusals: int
    """Pages that they asked for and may not open."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """One person who looked at one patient often."""

    actor_id: UUID
    patient_id: UUID
    looks: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement of the log's size and root (C2SP tlog-checkpoint)."""

    origin: str
    size: int
    root: bytes
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """RFC 6962 audit path of the leaf at `position` in the tree of `size` leaves."""

    entry_id: UUID
    position: int
    size: int
    leaf_hash: bytes
    path: tuple[bytes, ...]
    root: bytes
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that proves one entry without the database: hand it to anybody.

    `encoded` is the entry's canonical JSON, whose leaf hash the path leads up from; `verifier_key`
    the log's public key in the form of C2SP signed notes. `api.faults` says whether it holds.
    """

    encoded: bytes
    proof: InclusionProof
    verifier_key: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Entries that have no place in the log yet; `since` is when the oldest was recorded."""

    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Fault:
    """One disagreement that verification found, in plain words, with the position."""

    position: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification of one organization's log found."""

    entries: int
    pending: int
    root: str
    verified: bool
    faults: tuple[Fault, ...]
    remarks: tuple[str, ...] = ()
    """What is no fault but should be known: nothing witnessed yet, entries that still wait."""
    checkpoints: int = 0
    """How many signed checkpoints, stored and witnessed, were held against the rows."""
