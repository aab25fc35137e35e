"""What other packages may know of files: whose they are, what kind, and why one is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi


class Of(StrEnum):
    """What a file belongs to."""

    DRAFT = "draft"
    """Nothing yet: it waits for its message, a day at most."""
    MESSAGE = "message"
    """A message in the portal."""
    ENTRY = "entry"
    """What a patient wrote."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The message or entry that a file belongs to."""

    of: Of
    id: UUID


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file that is taken: told by `signs` in its first bytes, never by its name.

    `signs` are alternatives, each of (place, bytes) that must all be there. `look` names what else is
    looked for in it while it comes in ("pdf", "text"); `picture`: browsers show it as one.
    """

    code: str
    media: str
    ending: str
    picture: bool
    look: str
    signs: tuple[tuple[tuple[int, bytes], ...], ...]


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file without its bytes; `size` in bytes. The name is PHI: people call files by what is in them."""

    id: UUID
    owner: Owner
    contact_id: UUID
    name: Phi[str]
    kind: Kind
    size: int
    created_at: datetime


class Why(StrEnum):
    """Why a file is not taken."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    KIND = "kind"
    """It is of no kind that is taken, whatever it is called."""
    ACTIVE = "active"
    """It holds something that runs, opens or embeds other things."""
    LOCKED = "locked"
    """It is encrypted, so nobody can look at what is in it."""
    INFECTED = "infected"
    """The virus scanner knows what is in it."""
    NOT_SCANNED = "not_scanned"
    """A virus scanner is set and did not say that it is clean."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """The virus scanner that is set, as it is now."""

    answers: bool
    signatures: datetime | None = None
    """Of when its signatures are; None: it does not say, for they are none of ClamAV's daily ones."""


_WORDS = {
    Why.EMPTY: "This file is empty.",
    Why.TOO_LARGE: "This file is too large.",
    Why.TOO_MANY: "These are too many files.",
    Why.KIND: "This kind of file is not taken: only PDF, pictures and plain text are.",
    Why.ACTIVE: "This file holds a program or other files, so it is not taken.",
    Why.LOCKED: "This PDF is protected with a password, so nobody could look into it.",
    Why.INFECTED: "The virus scanner found something harmful in this file, so it is not taken.",
    Why.NOT_SCANNED: "This file could not be scanned for viruses just now, so it is not taken. Try again later.",
}


class FileRefused(BadInput):
    """A file is not taken; nothing of it is kept."""

    def __init__(self, why: Why) -> None:
        self.why = why
        super().__init__(_WORDS[why], place="file")
