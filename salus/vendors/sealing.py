"""Seals what the register keeps in words: names, notes, addresses, signing secrets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from salus.keys import api as keys
from salus.platform.tenancy import current_organization


def seal(table: str, row_id: UUID, document: dict[str, Any]) -> bytes:
    """Return a row's document, sealed for this table and row."""
    return keys.sealer().seal(orjson.dumps(document), _binding(table, row_id))


def open_sealed(table: str, row_id: UUID, sealed: bytes | memoryview) -> dict[str, Any]:
    """Return what `seal` sealed."""
    found: dict[str, Any] = orjson.loads(keys.sealer().open(bytes(sealed), _binding(table, row_id)))
    return found


def _binding(table: str, row_id: UUID) -> bytes:
    return keys.binding(current_organization(), table, row_id)
