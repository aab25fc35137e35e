"""What other packages may know of sealed mail: keys on file, whom a message is encrypted to, the organization's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from salus.kernel.phi import Phi


class KeyKind(StrEnum):
    """Which of the two kinds of sealed mail a key is for."""

    SMIME = "smime"
    OPENPGP = "openpgp"

    @property
    def words(self) -> str:
        """Return the kind as people say it."""
        return "S/MIME" if self is KeyKind.SMIME else "OpenPGP"


class Source(StrEnum):
    """How a key came to us."""

    STAFF = "staff"
    PROGRAM = "program"
    WKD = "wkd"
    """The web key directory of the address's own domain."""


class Vouched(StrEnum):
    """Who says that a key is its holder's."""

    AUTHORITY = "authority"
    """An authority that the organization trusts issued the certificate."""
    FINGERPRINT = "fingerprint"
    """A person compared the fingerprint with the holder's word."""
    DOMAIN = "domain"
    """The web server of the address's own domain hands it out."""


class Standing(StrEnum):
    """How a key on file stands at a moment."""

    IN_USE = "in_use"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    STALE = "stale"
    """Its directory could not be asked for too long: nobody knows whether it was revoked."""
    REVOKED = "revoked"
    REPLACED = "replaced"


class Revocation(StrEnum):
    """Why a key is not used any more."""

    BY_HOLDER = "by_holder"
    """By a revocation that the key itself signed."""
    COMPROMISED = "compromised"
    LOST = "lost"
    WRONG_PERSON = "wrong_person"
    WITHDRAWN = "withdrawn"
    """Its directory does not have it any more, or the holder asked us not to use it."""
    UNTRUSTED = "untrusted"
    """The authority that vouched for it is not trusted any more."""
    BY_AUTHORITY = "by_authority"
    """By a revocation list that its authority signed."""


class Use(StrEnum):
    """When a message is encrypted to a key on file."""

    WHEN_NEEDED = "when_needed"
    """When TLS to the recipient's host is not enough for what the message tells."""
    ALWAYS = "always"


class Found(StrEnum):
    """What a look-up in a web key directory brought."""

    KEPT = "kept"
    """A key was found and is on file."""
    SAME = "same"
    NONE = "none"
    """The domain has no key for the address."""
    UNFIT = "unfit"
    """It has one that may not be used: another address, ended, revoked."""
    SILENT = "silent"
    """The domain did not answer."""


@dataclass(frozen=True, slots=True)
class OnFile:
    """A key of a person or of a partner's domain, without the key itself.

    `address` is the mail address it is for, empty for a domain's; `not_after` None: it has no end. `holder` is
    what it says of itself.
    """

    id: UUID
    kind: KeyKind
    contact_id: UUID | None
    domain: Phi[str]
    address: Phi[str]
    holder: Phi[str]
    fingerprint: Phi[str]
    algorithm: str
    source: Source
    vouched: Vouched
    standing: Standing
    not_before: datetime | None
    not_after: datetime | None
    added_at: datetime
    refreshed_at: datetime | None
    revoked_at: datetime | None
    why: Revocation | None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message is encrypted to: a key on file, opened; `always`: also where TLS would do.

    `mark` stands for the fingerprint in receipts.
    """

    id: UUID | None
    kind: KeyKind
    key: bytes = field(repr=False)
    mark: str = ""
    always: bool = False


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """What the organization signs with: a certificate with its key (both DER) and issuers, an OpenPGP secret key.

    What there is none of is empty: then a message is encrypted and not signed.
    """

    certificate: bytes
    key: bytes = field(repr=False)
    issuers: tuple[bytes, ...]
    openpgp: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Protected:
    """An encrypted message: what is sent (not DKIM-signed yet), and what the reader has after opening it.

    `facts` are for the receipt: kind, algorithm, the key's id and its mark, what it was signed with.
    """

    data: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Own:
    """One of the organization's own signing keys; `self_signed`: nobody vouches for it (a laboratory's)."""

    kind: KeyKind
    holder: str
    address: str
    fingerprint: str
    not_after: datetime | None
    self_signed: bool
    added_at: datetime
    public: str = field(repr=False)
    """The certificate, or the public key, in PEM or armor: for whoever wants to verify."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """An authority whose certificates for mail the organization trusts."""

    id: UUID
    holder: str
    fingerprint: str
    not_after: datetime
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Choices:
    """When keys are used, and whether the directories of recipients' domains are asked for them."""

    use: Use = Use.WHEN_NEEDED
    look_up: bool = False


@dataclass(frozen=True, slots=True)
class LookedUp:
    """When a directory was asked for a person's key last, and what it brought."""

    at: datetime
    found: Found


@dataclass(frozen=True, slots=True)
class Filed:
    """What a person's page says of keys: those on file, the last look-up, whether directories are asked."""

    keys: list[OnFile]
    looked: LookedUp | None
    look_up: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """A key that ends soon, or has: whose it is, and when. `contact_id` None: a domain's, or our own (`own`)."""

    key_id: UUID
    kind: KeyKind
    contact_id: UUID | None
    not_after: datetime
    own: bool
