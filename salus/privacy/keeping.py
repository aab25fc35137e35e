"""The copy that a request for access makes: kept sealed for a while, handed over by a person, erased with the person."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import orjson

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound
from salus.kernel.leaving import Kept, Left, six_years_after
from salus.keys import api as keys
from salus.platform.tenancy import current_organization
from salus.privacy import requests
from salus.privacy.contracts import Form, Kind
from salus.privacy.exports import PURPOSE, export
from salus.privacy.models import CopyRow, DisclosureRow, RequestRow
from salus.privacy.other_forms import in_form


def make_copy(request_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Make the copy of an approved request and keep it sealed; made again, it replaces the one before.

    Raises as `export` does.
    """
    document = orjson.dumps(export(request_id, actor=actor, at=at), option=orjson.OPT_INDENT_2)
    contact_id = RequestRow.objects.get(id=request_id).contact_id
    sealed = keys.sealer().seal(document, _binding(request_id))
    CopyRow.objects.update_or_create(
        request_id=request_id, defaults={"contact_id": contact_id, "made_at": at, "sealed": sealed}
    )


def open_copy(request_id: UUID, form: Form = Form.JSON, *, actor: Actor) -> bytes:
    """Return the copy in a form; recorded. Raises `NotFound` when there is none any more, `Unavailable` for a PDF."""
    requests.must_do(actor)
    row = CopyRow.objects.filter(request_id=request_id).first()
    if row is None:
        raise NotFound
    audit.record(
        Action.PRIVACY_EXPORT,
        actor=actor,
        object_kind="privacy_request",
        object_id=request_id,
        patient_id=row.contact_id,
        purpose=PURPOSE,
        outcome="downloaded",
        details={"form": form.value},
    )
    return in_form(keys.sealer().open(bytes(row.sealed), _binding(request_id)), form)


def copy_made_at(request_id: UUID) -> datetime | None:
    """Return when the copy of a request was made, None when there is none."""
    return CopyRow.objects.filter(request_id=request_id).values_list("made_at", flat=True).first()


def erase_copies(contact_id: UUID, at: datetime) -> Left:
    """Erase the copies of a person; what they asked and what was disclosed stays, sealed, for six years.

    Safe to repeat: what has outlived its time goes too. The row of an erasure stays, without its words: its
    completion record is what the log speaks of.
    """
    copies = CopyRow.objects.filter(contact_id=contact_id).delete()[0]
    kept, gone = list[datetime](), 0
    for disclosure in DisclosureRow.objects.filter(contact_id=contact_id):
        entered = _entered(disclosure)
        last = max(entered, disclosure.suspended_until or entered)
        gone += _outlived(disclosure, six_years_after(last), kept, at)
    for asked in RequestRow.objects.filter(contact_id=contact_id):
        last = asked.done_at or asked.decided_at or asked.received_at
        if asked.kind == Kind.ERASURE:
            gone += _empty(asked, six_years_after(last), kept, at)
        else:
            gone += _outlived(asked, six_years_after(last), kept, at)
    what = "requests and disclosures that were entered, sealed"
    why = "documentation of what was asked and disclosed is kept for six years"
    return Left(
        {"copies": copies, "documents": gone},
        (Kept(what, len(kept), why, "45 CFR 164.528(d), 164.530(j)(2)", max(kept)),) if kept else (),
    )


def _entered(row: DisclosureRow) -> datetime:
    """Return when a disclosure was written down, which may be long after it was made: its id is a UUIDv7."""
    return max(row.at, datetime.fromtimestamp((row.id.int >> 80) / 1000, UTC))


def _outlived(row: RequestRow | DisclosureRow, until: datetime, kept: list[datetime], at: datetime) -> int:
    """Delete a row whose time is over, or note until when it is kept; return how many went."""
    if until > at:
        kept.append(until)
        return 0
    row.delete()
    return 1


def _empty(row: RequestRow, until: datetime, kept: list[datetime], at: datetime) -> int:
    """Take the words of an erasure's request away when their time is over; return how many had some."""
    if until > at:
        kept.append(until)
        return 0
    return requests.take_words(row)


def _binding(request_id: UUID) -> bytes:
    return keys.binding(current_organization(), "privacy_copy", request_id)
