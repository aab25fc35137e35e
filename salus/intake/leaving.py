"""One person in refused rows of imports: an erasure looks into each and takes those that name them."""

from __future__ import annotations

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
    words = _words(contact_id, actor)
    organization_id, sealer = current_organization(), keys.sealer()
    gone = []
    for row in RejectRow.objects.only("id", "sealed").iterator(500) if words else ():
        raw = sealer.open(bytes(row.sealed), keys.binding(organization_id, "intake_reject", row.id))
        text = raw.decode(errors="replace").casefold()
        if any(all(part in text for part in word) for word in words):
            gone.append(row.id)
    RejectRow.objects.filter(id__in=gone).delete()
    uploads = Chunk.objects.values("import_id").distinct().count()
    kept = Kept("uploads of imports that have not ended", uploads, "removed when the import ends")
    return Left({"refused_rows": len(gone)}, (kept,) if uploads else ())


def _words(contact_id: UUID, actor: Actor) -> list[tuple[str, ...]]:
    """Return what a row must hold, all parts of one of them, to be about this person."""
    fields = ("email", "phone", "identifiers", "given_name", "family_name")
    opened = contacts.open_fields(
        ids=[contact_id], fields=fields, purpose="erasure", actor=actor, merged=True
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
