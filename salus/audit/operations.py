"""Writes entries, in the transaction of the act that they record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from salus.audit import rules
from salus.audit.contracts import NewEntry
from salus.kernel.ids import new_id
from salus.platform.tenancy import CrossTenant, current_organization

_INSERT = """
WITH given AS (
    SELECT decode(item ->> 'leaf', 'hex') AS leaf_hash, entry.*
    FROM jsonb_array_elements(%s::jsonb) AS item,
    jsonb_to_record(item -> 'entry') AS entry (
        organization uuid, id uuid, at timestamptz, action text, actor_kind text, actor_id uuid, actor_name text,
        role text, session_id text, ip text, object_kind text, object_id uuid, patient_id uuid, fields text[],
        purpose text, outcome text, reason text, rule_version text, details jsonb
    )
), stored AS (
    INSERT INTO audit_entry (
        organization_id, id, at, action, actor_kind, actor_id, actor_name, role, session_id, ip, object_kind,
        object_id, patient_id, fields, purpose, outcome, reason, rule_version, details, leaf_hash
    )
    SELECT organization, id, at, action, actor_kind, actor_id, actor_name, role, session_id, ip, object_kind,
        object_id, patient_id, fields, purpose, outcome, reason, rule_version, details, leaf_hash
    FROM given
    RETURNING organization_id, id
)
INSERT INTO audit_pending (organization_id, entry_id) SELECT organization_id, id FROM stored
"""

BATCH = 2_000
"""Entries in one statement."""


def record(entries: Sequence[NewEntry], at: datetime) -> list[UUID]:
    """Store `entries` and queue them for the sequencer, in one statement a batch; return their ids.

    Raises `ValueError` for an entry that holds what it must not, `CrossTenant` for another
    organization's actor. The bytes that are hashed are the bytes that the database reads.
    """
    organization_id = current_organization()
    ids: list[UUID] = []
    items: list[bytes] = []
    for entry in entries:
        if entry.actor.organization_id != organization_id:
            raise CrossTenant("An act is recorded in the log of its own organization.")
        rules.check(entry)
        ids.append(new_id())
        encoded = rules.encode(rules.content(entry, ids[-1], at))
        items.append(b'{"leaf":"%b","entry":%b}' % (rules.leaf_hash(encoded).hex().encode(), encoded))
    with connection.cursor() as cursor:
        for start in range(0, len(items), BATCH):
            cursor.execute(_INSERT, [(b"[" + b",".join(items[start : start + BATCH]) + b"]").decode()])
    return ids
