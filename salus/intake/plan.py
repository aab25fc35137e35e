"""The sealed part of an import: what staff typed and what the files say of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import orjson

from salus.intake import mapping as mappings
from salus.intake.contracts import CsvMapping
from salus.keys import api as keys
from salus.platform.tenancy import current_organization


@dataclass(slots=True)
class Plan:
    """Evidence, file names, and for a CSV its headings, delimiter and mapping."""

    names: list[str] = field(default_factory=list)
    evidence: str = ""
    headings: list[str] = field(default_factory=list)
    delimiter: str = ","
    mapping: CsvMapping | None = None

    def seal(self, import_id: UUID) -> bytes:
        """Return the plan sealed for its import's row."""
        body = {
            "names": self.names,
            "evidence": self.evidence,
            "headings": self.headings,
            "delimiter": self.delimiter,
            "mapping": mappings.to_json(self.mapping) if self.mapping else None,
        }
        return keys.sealer().seal(orjson.dumps(body), _bound(import_id))

    @classmethod
    def open(cls, import_id: UUID, sealed: bytes | memoryview) -> Plan:
        """Return the plan of an import."""
        body = orjson.loads(keys.sealer().open(bytes(sealed), _bound(import_id)))
        mapping = mappings.from_json(body["mapping"]) if body["mapping"] else None
        return cls(body["names"], body["evidence"], body["headings"], body["delimiter"], mapping)


def _bound(import_id: UUID) -> bytes:
    return keys.binding(current_organization(), "intake_import", import_id)


def seal_rows(ids_and_rows: Sequence[tuple[UUID, object]]) -> list[bytes]:
    """Seal rejected rows, each for the reject that keeps it."""
    sealer, organization_id = keys.sealer(), current_organization()
    return [
        sealer.seal(orjson.dumps(row), keys.binding(organization_id, "intake_reject", reject_id))
        for reject_id, row in ids_and_rows
    ]


def open_row(reject_id: UUID, sealed: bytes | memoryview) -> object:
    """Return the row that a reject keeps."""
    bound = keys.binding(current_organization(), "intake_reject", reject_id)
    row: object = orjson.loads(keys.sealer().open(bytes(sealed), bound))
    return row
