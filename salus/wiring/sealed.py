"""What is sealed and indexed, and where: the one table of what a rotation of keys has to bring to the new key.

A test holds it against the models: a column of ciphertexts that is not here would be lost with its key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.keys import api as keys
from salus.keys.contracts import Bound, KeptIndex, SealedColumn

ID = (("id", "uuid"),)
BATCH = 2_000
FEW, ONE_BY_ONE = 100, 8
"""Batches of rows that hold a document, or a megabyte."""


def _as(table: str) -> Bound:
    """Return the usual binding: organization, table and the first column of the key."""

    def bound(organization_id: UUID, row: Sequence[Any]) -> bytes:
        return keys.binding(organization_id, table, row[0])

    return bound


def _column(table: str, column: str = "sealed", *, bound_as: str = "", batch: int = BATCH) -> SealedColumn:
    return SealedColumn(table, column, ID, _as(bound_as or table), batch=batch)


def _chunk(organization_id: UUID, row: Sequence[Any]) -> bytes:
    return keys.binding(organization_id, "intake_chunk", row[0]) + b"%d/%d" % (row[1], row[2])


def _listed(organization_id: UUID, row: Sequence[Any]) -> bytes:
    return keys.binding(organization_id, "audiences_listed", row[0]) + int(row[1]).to_bytes(4)


def _standing(organization_id: UUID, row: Sequence[Any]) -> bytes:
    return keys.binding(organization_id, "permissions_standing", row[0]) + int(row[1]).to_bytes(8, "big")


def _event(organization_id: UUID, row: Sequence[Any]) -> bytes:
    return keys.binding(organization_id, "timeline_event", row[1]) + bytes(row[2])


def _piece(organization_id: UUID, row: Sequence[Any]) -> bytes:
    return keys.binding(organization_id, "files_piece", row[0]) + b"%d" % row[1]


def _way(organization_id: UUID, row: Sequence[Any]) -> bytes:
    return keys.binding(organization_id, "journeys_way", row[1])


_WAY = (("journey_id", "uuid"), ("key", "uuid"))

COLUMNS = (
    SealedColumn("contacts_contact", "sealed", (("number", "bigint"),), lambda organization_id, row:
        keys.binding(organization_id, "contacts_contact", row[1]), ("id",)),
    _column("contacts_join", batch=FEW),
    SealedColumn("timeline_event", "sealed", (("number", "bigint"),), _event, ("contact_id", "key")),
    SealedColumn("permissions_standing", "sealed", (("contact_id", "uuid"),), _standing, ("version",)),
    _column("permissions_entry"),
    _column("safeguards_policy"),
    _column("files_file"),
    SealedColumn(
        "files_piece", "sealed", (("file_id", "uuid"), ("place", "integer")), _piece, batch=ONE_BY_ONE
    ),
    _column("identity_provider"),
    _column("identity_answer", batch=FEW),
    _column("vendors_vendor"),
    _column("vendors_agreement"),
    _column("vendors_service"),
    _column("vendors_attestation"),
    _column("vendors_verification"),
    _column("vendors_subcontractor"),
    _column("vendors_responsibility"),
    _column("audiences_segment", batch=FEW),
    _column("audiences_frozen", batch=FEW),
    _column("audiences_frozen", "sealed_members", bound_as="audiences_frozen.members", batch=ONE_BY_ONE),
    SealedColumn(
        "audiences_listed", "sealed", (("segment_id", "uuid"), ("place", "integer")), _listed, batch=FEW
    ),
    _column("content_template"),
    _column("content_version", batch=FEW),
    _column("content_review"),
    _column("intake_import", batch=FEW),
    SealedColumn(
        "intake_chunk", "sealed", (("import_id", "uuid"), ("file", "integer"), ("place", "integer")), _chunk,
        batch=ONE_BY_ONE,
    ),
    _column("intake_reject"),
    _column("patients_passkey"),
    SealedColumn(
        "patients_access", "challenge", (("contact_id", "uuid"),), _as("patients_access"), batch=FEW
    ),
    _column("intake_mapping", batch=FEW),
    _column("duplicates_merge"),
    _column("duplicates_merge", "sealed_end"),
    _column("privacy_request"),
    _column("retention_hold"),
    _column("retention_hold", "sealed_end"),
    _column("privacy_disclosure"),
    SealedColumn(
        "privacy_copy", "sealed", (("request_id", "uuid"),), _as("privacy_copy"), batch=ONE_BY_ONE
    ),
    _column("delivery_origin", "spec", batch=FEW),
    _column("delivery_message"),
    SealedColumn("delivery_deposit", "sealed", (("message_id", "uuid"),), _as("delivery_deposit"), batch=FEW),
    _column("delivery_call"),
    _column("delivery_route"),
    _column("delivery_standby"),
    _column("shaping_measure"),
    _column("delivery_sts"),
    _column("domains_tally"),
    _column("domains_report"),
    _column("sealedmail_key"),
    _column("sealedmail_own"),
    _column("campaigns_campaign"),
    _column("identity_glass"),
    _column("identity_glass", "sealed_note"),
    _column("inbox_task"),
    _column("inbox_task", "sealed_note"),
    _column("inbox_entry"),
    _column("reports_accessreview"),
    _column("journeys_journey"),
    _column("journeys_version", batch=FEW),
    SealedColumn("journeys_way", "sealed_members", _WAY, _way, batch=ONE_BY_ONE),
    SealedColumn("journeys_way", "sealed_coming", _WAY, _way, batch=ONE_BY_ONE),
)  # fmt: skip
"""Every column of ciphertexts under the data key."""


class _SecondFactors:
    """The secrets of staff's second factors: few, and inside JSON of another's table."""

    name = "mfa_authenticator.data"

    def total(self) -> int:
        return self.left()

    def left(self) -> int:
        return identity.stale_second_factors()

    def take(self, cursor: list[Any] | None) -> tuple[list[Any] | None, None]:
        return None, None

    def bring(self, batch: None) -> int:
        return identity.reseal_second_factors()


class _ContactIndexes:
    """The blind indexes that lead to contacts."""

    name = "contacts_blind.blind"

    def total(self) -> int:
        return contacts.count()

    def left(self) -> int:
        return contacts.stale_indexes()

    def take(self, cursor: list[Any] | None) -> tuple[list[Any] | None, list[UUID]]:
        found = contacts.ids_after(cursor[0] if cursor else 0, BATCH)
        return ([found[-1][0]] if len(found) == BATCH else None), [id for _, id in found]

    def bring(self, batch: list[UUID]) -> int:
        return contacts.index_anew(batch)


KEPT = (
    KeptIndex("timeline_event", "recorded_at"),
    KeptIndex("permissions_barred", "recorded_at"),
    KeptIndex("journeys_enrolment", "entered_at"),
)
"""Indexes of what is kept nowhere else: an event's own key, a person's occasion."""


def tell_keys() -> None:
    """Let keys know all of it, in this process."""
    keys.use_sealed([*COLUMNS, _SecondFactors()], [_ContactIndexes()], KEPT)
