"""One person's ledger: what an access request gets, what an erasure takes, and what the law keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from salus.contacts import api as contacts
from salus.kernel.acting import Actor
from salus.kernel.leaving import Kept, Left, six_years_after
from salus.kernel.time import Clock, SystemClock
from salus.permissions import operations, queries
from salus.permissions.contracts import Barred, Entry, EntryKind, Standing
from salus.permissions.models import BarredRow, LedgerEntry
from salus.platform.schema import erasing

_CLOCK = SystemClock()
K = EntryKind
_AUTHORIZATION = "45 CFR 164.508(b)(6), 164.530(j)(2)"
_RESTRICTION = "45 CFR 164.522(a)(3), 164.530(j)(2)"
_PART2 = "42 CFR 2.31; 45 CFR 164.530(j)(2)"
_NOTICE = "45 CFR 164.520(e), 164.530(j)(2)"
KEPT_BY_LAW: Mapping[EntryKind, str] = {
    K.AUTHORIZATION: _AUTHORIZATION,
    K.AUTHORIZATION_REVOKED: _AUTHORIZATION,
    K.RESTRICTION: _RESTRICTION,
    K.RESTRICTION_ENDED: _RESTRICTION,
    K.PART2_CONSENT: _PART2,
    K.PART2_CONSENT_REVOKED: _PART2,
    K.E_NOTICE: _NOTICE,
    K.E_NOTICE_WITHDRAWN: _NOTICE,
}
"""Documents that have to be kept six years from when they were made or were last in effect; why."""


def kept_until(entry: Entry, at: datetime, erased: datetime | None = None) -> datetime | None:
    """Return until when an entry must be kept, seen from `at`; None: nothing keeps it (any more).

    What has no end of its own is in effect until its person is `erased`.
    """
    if entry.kind not in KEPT_BY_LAW:
        return None
    last = max(entry.recorded_at, entry.valid_until or erased or at)
    until = six_years_after(last)
    return until if until > at else None


def export_person(contact_id: UUID, *, purpose: str, actor: Actor) -> dict[str, Any]:
    """Return a person's whole ledger as JSON values, oldest first; the look is recorded.

    `stands` says whether an entry counts now: not ended, not over, not replaced by a later one, not defective.
    """
    stands = _evidence(queries.standings([contact_id], _CLOCK.now())[contact_id])
    return {
        "permissions": [
            {
                "id": str(entry.id),
                "stands": entry.id in stands,
                "kind": entry.kind.value,
                "at": entry.at.isoformat(),
                "recorded_at": entry.recorded_at.isoformat(),
                "evidence": entry.evidence,
                "topic": entry.topic,
                "channel": entry.channel.value if entry.channel else "",
                "valid_until": entry.valid_until.isoformat() if entry.valid_until else None,
                "details": dict(entry.details),
            }
            for entry in operations.read(contact_id, purpose=purpose, actor=actor)
        ]
    }


def _evidence(standing: Standing) -> set[UUID]:
    """Return the ids of the entries by which a standing is what it is; a defective form counts for nothing."""
    only, representative = standing.confidential_address, standing.representative
    found = [
        standing.fundraising_opt_out,
        standing.deceased,
        standing.e_notice,
        only.evidence_id if only else None,
        representative.evidence_id if representative else None,
        *(each.evidence_id for each in (*standing.opt_ins, *standing.opt_outs)),
        *(each.evidence_id for each in standing.authorizations if not each.defects),
        *(each.evidence_id for each in standing.restrictions),
        *(each.evidence_id for each in standing.unencrypted),
        *(each.evidence_id for each in standing.suppressions),
        *(each.evidence_id for each in standing.part2_consents),
    ]
    return {id for id in found if id is not None}


def erase_person(contact_id: UUID, *, actor: Actor, clock: Clock = _CLOCK) -> Left:
    """Erase what the law does not keep, and bar the person's addresses; run it before the contact is erased.

    What goes is recorded by whoever runs the erasure. Safe to repeat: once what is kept by law has
    outlived its time, that goes too.
    """
    at = clock.now()
    barred, addresses = _bar(contact_id, actor, at)
    entries = queries.entries_of([contact_id])[contact_id]
    erased = contacts.erased_at(contact_id)
    terms = {entry.id: kept_until(entry, at, erased) for entry in entries}
    going = [entry.id for entry in entries if terms[entry.id] is None]
    if going:
        with erasing(contact_id):
            LedgerEntry.objects.filter(contact_id=contact_id, id__in=going).delete()
        operations.sum_up_anew(contact_id)
    kept: Counter[EntryKind] = Counter(entry.kind for entry in entries if terms[entry.id])
    last = {kind: max(until for e in entries if e.kind is kind and (until := terms[e.id])) for kind in kept}
    return Left(
        {"entries": len(going), "addresses_barred": barred},
        (
            *(
                Kept(
                    f"{kind.value} entries, sealed",
                    count,
                    "documents kept six years",
                    KEPT_BY_LAW[kind],
                    last[kind],
                )
                for kind, count in kept.items()
            ),
            Kept(
                "barred addresses, as blind indexes",
                addresses,
                "nobody is written to again because of an old file; no address can be read from them",
            ),
        ),
    )


def _bar(contact_id: UUID, actor: Actor, at: datetime) -> tuple[int, int]:
    """Remember the person's addresses by blind index; return how many are new, and how many there are."""
    opened = contacts.open_fields(
        ids=[contact_id], fields=("email", "phone"), purpose="erasure", actor=actor, merged=True
    )
    rows = [
        BarredRow(
            blind=contacts.blind_address(address.channel, address.value.reveal()),
            channel=address.channel.value,
            recorded_at=at,
        )
        for one in opened
        for address in one.addresses
    ]
    before = BarredRow.objects.count()
    BarredRow.objects.bulk_create(rows, ignore_conflicts=True)
    return BarredRow.objects.count() - before, len(rows)


def barred() -> Mapping[bytes, Barred]:
    """Return every barred address of the organization by its blind index: as many as people were erased."""
    return {
        bytes(blind): Barred(id, since)
        for blind, id, since in BarredRow.objects.values_list("blind", "id", "recorded_at")
    }
