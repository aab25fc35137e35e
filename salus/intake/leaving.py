"""One person in refused rows of imports: an erasure looks into each and takes those that name them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from salus.contacts import api as contacts
from salus.intake.models import Chunk, RejectRow
from salus.kernel.acting import Actor
from salus.kernel.leaving import Kept, Left
from salus.keys import api as keys
from salus.platform.tenancy import current_organization

ENOUGH = 4
"""A shorter word would be found in rows of others."""


def erase_person(contact_id: UUID, *, actor: Actor) -> Left:
    """Take refused rows that hold an address, a record number or the whole name; before the contact is erased."""
    words = words_of([contact_id], "erasure", actor)
    gone = naming(RejectRow.objects.iterator(500), words) if words else []
    RejectRow.objects.filter(id__in=gone).delete()
    uploads = Chunk.objects.values("import_id").distinct().count()
    kept = Kept("uploads of imports that have not ended", uploads, "removed when the import ends")
    return Left({"refused_rows": len(gone)}, (kept,) if uploads else ())


def naming(rows: Iterable[RejectRow], words: Sequence[tuple[str, ...]]) -> list[UUID]:
    """Return the ids of the rows that hold all parts of one of `words`."""
    organization_id, sealer = current_organization(), keys.sealer()
    found = []
    for row in rows:
        raw = sealer.open(bytes(row.sealed), keys.binding(organization_id, "intake_reject", row.id))
        text = raw.decode(errors="replace").casefold()
        if any(all(part in text for part in word) for word in words):
            found.append(row.id)
    return found


def words_of(contact_ids: Collection[UUID], purpose: str, actor: Actor) -> list[tuple[str, ...]]:
    """Return what a row must hold, all parts of one of them, to be about one of these people."""
    fields = ("email", "phone", "identifiers", "given_name", "family_name")
    opened = contacts.open_fields(
        ids=list(contact_ids), fields=fields, purpose=purpose, actor=actor, merged=True
    )
    found: list[tuple[str, ...]] = []
    for one in opened:
        values = {name: phi.reveal() for name, phi in one.values.items()}
        alone = [address.value.reveal() for address in one.addresses]
        alone += [each["value"] for each in values.get("identifiers", ())]
        found += [(word.casefold(),) for word in alone if len(word) >= ENOUGH]
        name = tuple(str(values.get(part, "")).casefold() for part in ("given_name", "family_name"))
        if all(name):
            found.append(name)
    return found
