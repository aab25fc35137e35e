"""Makes the row of a message to one person: what it is bound to, what it says sealed, and how it must be protected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from salus.contacts.contracts import Opened
from salus.content import api as content
from salus.delivery import guarding
from salus.delivery.contracts import MessageSpec, State
from salus.delivery.models import MessageRow
from salus.delivery.sealing import (
    CHOICES,
    TOKEN_LIFETIME,
    TRACK,
    Content,
    decision_document,
    message_binding,
    seal_content,
)
from salus.delivery.written import Words
from salus.gate.contracts import Clearance
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel, Protection
from salus.keys import api as keys
from salus.platform.tenancy import current_organization
from salus.safeguards.contracts import Policy

SHARED_BY = 20
"""A domain that fewer people of a chunk share could name its owner, so the queue holds its blind index."""

COLUMNS = (
    ("organization_id", "uuid"),
    ("id", "uuid"),
    ("origin_id", "uuid"),
    ("contact_id", "uuid"),
    ("contact_number", "int8"),
    ("state", "text"),
    ("reason", "text"),
    ("rule", "text"),
    ("floor", "int2"),
    ("contact_version", "int8"),
    ("standing_version", "int8"),
    ("valid_until", "timestamptz"),
    ("version_id", "uuid"),
    ("language", "text"),
    ("site", "text"),
    ("sealed", "bytea"),
    ("decided_at", "timestamptz"),
    ("changed_at", "timestamptz"),
)
"""Of a row, in order: names and types."""


class Planner:
    """What is the same for every person of a sending, looked up once; `policy` is the protection policy in force."""

    def __init__(self, spec: MessageSpec, at: datetime, policy: Policy, words: Words | None = None) -> None:
        if not spec.versions and words is None:
            raise BadInput("A sending needs a template version.", place="versions")
        if spec.facts.channel is Channel.SMS:
            raise BadInput(
                "Text messages cannot be sent yet.", place="channel", next_step="Choose e-mail or portal."
            )
        self.spec, self._at, self._words = spec, at, words
        self._organization = current_organization()
        self._sealer, self._blinder = keys.sealer(), keys.blinder()
        self._versions = {language: content.version(id) for language, id in spec.versions.items()}
        self._values = {
            language: content.values_maker(version, at) for language, version in self._versions.items()
        }
        subjects = {language: version.subject for language, version in self._versions.items()}
        self._guard = guarding.Guard(spec, subjects if words is None else {"": words.subject}, policy)
        fields = {field for version in self._versions.values() for field in content.merge_fields(version)}
        self.fields = (*sorted(fields | {"language"}),)

    def rows(
        self,
        decided: Sequence[tuple[Clearance, Opened]],
        stopped: str,
        wishes: Mapping[UUID, Protection],
    ) -> list[tuple[object, ...]]:
        """Return a row for each person, in the order of `COLUMNS`; `stopped` refuses who was cleared.

        `wishes` are those of these people who ask for more protection than the law does.
        """
        domains = Counter(_domain(clearance) for clearance, _ in decided)
        return [
            self._row(
                clearance,
                opened,
                domains,
                clearance.decision.reason or stopped,
                wishes.get(clearance.contact_id),
            )
            for clearance, opened in decided
        ]

    def _row(
        self,
        clearance: Clearance,
        opened: Opened,
        domains: Mapping[str, int],
        refused: str,
        wish: Protection | None,
    ) -> tuple[object, ...]:
        decision = clearance.decision
        message_id = new_id()
        language = self._language(opened)
        domain = _domain(clearance)
        floor, why = self._guard.floor(decision, domain, "" if self._words else language, wish)
        sealed = self._seal(message_id, clearance, opened, language, why, allowed=not refused)
        return (
            self._organization,
            message_id,
            self.spec.origin.id,
            clearance.contact_id,
            clearance.contact_number,
            State.REFUSED if refused else State.CLEARED,
            refused,
            decision.rule_ids[0] if decision.rule_ids else "",
            int(floor),
            clearance.contact_version,
            clearance.standing_version,
            decision.valid_until,
            self.spec.versions.get(language),
            language,
            self._site(domain, domains[domain]),
            sealed,
            self._at,
            self._at,
        )

    def rebind(self, row: MessageRow, clearance: Clearance, opened: Opened, wish: Protection | None) -> None:
        """Bind an unsent row to a new clearance: its versions, its address, its values, its protection."""
        decision, language = clearance.decision, self._language(opened)
        floor, why = self._guard.floor(decision, _domain(clearance), "" if self._words else language, wish)
        row.contact_version, row.standing_version = clearance.contact_version, clearance.standing_version
        row.valid_until, row.floor, row.decided_at = decision.valid_until, int(floor), self._at
        row.rule = decision.rule_ids[0] if decision.rule_ids else ""
        row.language, row.version_id = language, self.spec.versions.get(language)
        row.sealed = self._seal(row.id, clearance, opened, language, why, allowed=True)

    def _seal(
        self,
        message_id: UUID,
        clearance: Clearance,
        opened: Opened,
        language: str,
        why: Mapping[str, Any],
        *,
        allowed: bool,
    ) -> bytes:
        """Return the sealed content of a row; a refused one keeps the decision and no values."""
        address = clearance.address
        values: Mapping[str, object] = {}
        tokens: dict[str, str] = {}
        to = ""
        if allowed:
            to = address.value.reveal() if address else ""  # none in the portal
            values = self._words.values() if self._words else self._values[language](opened)
            tokens = {
                purpose: keys.seal_token(purpose, message_id.bytes, lifetime=TOKEN_LIFETIME)
                for purpose in ((CHOICES,) if self._words else (TRACK, CHOICES))
            }
        decided = decision_document(clearance.decision) | {guarding.PROTECTION: why}
        document = Content(to, values, tokens, decided)
        return seal_content(self._sealer, message_binding(self._organization, message_id), document)

    def _language(self, opened: Opened) -> str:
        """Return the person's language when there is a version in it, else English, else the first.

        What stands around words of their own is in the person's language when Salus writes it.
        """
        preferred = opened.values.get("language")
        wanted = (str(preferred.reveal()) if preferred else "")[:2].lower()
        offered = content.LANGUAGES if self._words else self.spec.versions
        for language in (wanted, "en"):
            if language in offered:
                return language
        return next(iter(self.spec.versions))

    def _site(self, domain: str, sharing: int) -> str:
        if not domain or sharing >= SHARED_BY:
            return domain
        return self._blinder.blind("domain", domain).hex()


def _domain(clearance: Clearance) -> str:
    address = clearance.address
    return address.value.reveal().rpartition("@")[2].lower() if address else ""
