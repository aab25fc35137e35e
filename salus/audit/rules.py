"""What an entry may say, and the bytes that its leaf hash is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from salus.audit.contracts import Action, Entry, NewEntry

LEAF = b"\x00"
"""Stands before an entry when it is hashed (RFC 6962 section 2.1)."""
LONGEST_ENTRY = 0xFFFF
"""An entry of a C2SP tlog-tiles bundle carries its length in 16 bits."""

_KNOWN = frozenset(Action)
_CODE = re.compile(r"[A-Za-z0-9_.:/+=,\-]{0,200}\Z")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,60}\Z")
_LARGEST = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8785 section 3.2.2.3)."""


def check(entry: NewEntry) -> None:
    """Raise `ValueError` when `entry` says something that the log must not hold.

    Every text is a code: no spaces, no at-sign, so that neither a name nor an address slips in. The
    error names the field and never shows the value.
    """
    if entry.action not in _KNOWN:
        raise ValueError("action: the word is not in audit.contracts.Action")
    texts: dict[str, object] = {
        "actor_name": entry.actor.name,
        "role": role(entry),
        "session_id": entry.actor.session_id,
        "ip": entry.actor.ip,
        "object_kind": entry.object_kind,
        "purpose": entry.purpose,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "rule_version": entry.rule_version,
    }
    texts.update((f"fields[{place}]", name) for place, name in enumerate(entry.fields))
    for key, value in entry.details.items():
        if not _KEY.match(key):
            raise ValueError("details: a key is a lower-case word")
        texts[f"details.{key}"] = value
    for place, text in texts.items():
        _check_value(place, text)


def _check_value(place: str, value: object) -> None:
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > _LARGEST:
            raise ValueError(f"{place}: the number is too large")
    elif not isinstance(value, str) or not _CODE.match(value):
        raise ValueError(f"{place}: only a short code may stand here (letters, digits and _.:/+=,-)")


def role(entry: NewEntry) -> str:
    """Return the actor's roles as one text."""
    return ",".join(entry.actor.roles)


def moment(at: datetime) -> str:
    """Return `at` as it stands in an entry: UTC, six decimals, "Z"."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def content(entry: NewEntry, entry_id: UUID, at: datetime) -> dict[str, Any]:
    """Return the fields of `entry` as the log keeps them."""
    actor = entry.actor
    return {
        "v": 1,
        "organization": str(actor.organization_id),
        "id": str(entry_id),
        "at": moment(at),
        "action": str(entry.action),
        "actor_kind": str(actor.kind),
        "actor_id": _text(actor.id),
        "actor_name": actor.name,
        "role": role(entry),
        "session_id": actor.session_id,
        "ip": actor.ip,
        "object_kind": entry.object_kind,
        "object_id": _text(entry.object_id),
        "patient_id": _text(entry.patient_id),
        "fields": list(entry.fields),
        "purpose": str(entry.purpose),
        "outcome": entry.outcome,
        "reason": entry.reason,
        "rule_version": entry.rule_version,
        "details": {
            key: str(value) if isinstance(value, str) else value for key, value in entry.details.items()
        },
    }


def content_of(entry: Entry, organization_id: UUID) -> dict[str, Any]:
    """Return the fields of a stored entry in the form in which they were hashed."""
    return {
        "v": 1,
        "organization": str(organization_id),
        "id": str(entry.id),
        "at": moment(entry.at),
        "action": entry.action,
        "actor_kind": entry.actor_kind,
        "actor_id": _text(entry.actor_id),
        "actor_name": entry.actor_name,
        "role": entry.role,
        "session_id": entry.session_id,
        "ip": entry.ip,
        "object_kind": entry.object_kind,
        "object_id": _text(entry.object_id),
        "patient_id": _text(entry.patient_id),
        "fields": list(entry.fields),
        "purpose": entry.purpose,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "rule_version": entry.rule_version,
        "details": entry.details,
    }


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def encode(fields: Mapping[str, Any]) -> bytes:
    """Return the canonical bytes of an entry: JSON by RFC 8785 (keys sorted, no spaces, UTF-8).

    Our texts are ASCII codes and our numbers are safe integers, so plain sorted JSON is that form.
    """
    encoded = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    if len(encoded) > LONGEST_ENTRY:
        raise ValueError(
            f"an entry of {len(encoded)} bytes is too long for the log (at most {LONGEST_ENTRY})"
        )
    return encoded


def leaf_hash(encoded: bytes) -> bytes:
    """Return the leaf hash of an entry's bytes (RFC 6962 section 2.1)."""
    return sha256(LEAF + encoded).digest()
