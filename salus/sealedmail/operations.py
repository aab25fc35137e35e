"""What changes about keys of others: put on file, revoked, replaced, erased; each recorded as it is done."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.joining import Pair
from salus.kernel.leaving import Left
from salus.kernel.vocabulary import Channel
from salus.keys import api as keys
from salus.sealedmail import keeping
from salus.sealedmail.contracts import Found, KeyKind, Revocation, Source, Vouched
from salus.sealedmail.formats import certificates, openpgp, revocations
from salus.sealedmail.keeping import Document
from salus.sealedmail.models import AnchorRow, KeyRow, LookRow
from salus.sealedmail.reading import NewKey, of_openpgp, read_key, voucher

MOST_DOMAINS = 200
"""Keys of domains in use: each batch of messages is held against all of them."""


def add_for_person(
    contact_id: UUID, data: bytes, *, fingerprint: str, source: Source, actor: Actor, at: datetime
) -> UUID:
    """Put a person's key on file and return its id; it replaces the one of its kind for the same address.

    It must carry an address of the person. An authority that the organization trusts vouches for it, or
    `fingerprint` does, which somebody heard from the person. Raises `BadInput`, `NotFound`.
    """
    if contact_id not in contacts.numbers_of([contact_id]):
        raise NotFound
    new = read_key(data, at)
    vouched = voucher(new, fingerprint, _anchors(), at)
    return _put(new, contact_id, _address_of(contact_id, new), vouched, source, actor, at)


def add_for_domain(
    domain: str, data: bytes, *, fingerprint: str, source: Source, actor: Actor, at: datetime
) -> UUID:
    """Put the key of a partner's domain on file: mail to everybody there is encrypted to it.

    It must carry an address of the domain. Raises `BadInput`, `Conflict` when there are too many.
    """
    name = contacts.normalize_email(f"keys@{domain.strip()}").rpartition("@")[2]
    new = read_key(data, at)
    if not any(each.rpartition("@")[2] == name for each in new.addresses):
        raise BadInput("The key carries no address of this domain.", place="key")
    if KeyRow.objects.filter(contact_id=None, ended_at=None).count() >= MOST_DOMAINS:
        raise Conflict(f"There are {MOST_DOMAINS} domains with keys already.")
    return _put(new, None, name, voucher(new, fingerprint, _anchors(), at), source, actor, at)


def revoke(key_id: UUID, why: Revocation, *, actor: Actor, at: datetime) -> None:
    """Use a key no more, from this moment; messages that wait take another way. Raises `NotFound`, `Conflict`."""
    _end(_living(key_id), why, actor, at)


def revoke_by_holder(key_id: UUID, revocation: bytes, *, actor: Actor, at: datetime) -> None:
    """Use an OpenPGP key no more because its holder signed that it is revoked.

    Raises `BadInput` when the revocation is none, or another key's; `NotFound`, `Conflict`.
    """
    row = _living(key_id)
    if row.kind != KeyKind.OPENPGP:
        raise BadInput("A certificate is revoked by its authority, not by such a file.", place="revocation")
    document = keeping.open_document(keys.sealer(), row)
    openpgp.with_revocation(document.key, revocation)
    _end(row, Revocation.BY_HOLDER, actor, at)


def revoke_by_list(data: bytes, *, actor: Actor, at: datetime) -> int:
    """End the certificates on file that their authority took back, as its signed list says; return how many.

    The authority is one that is trusted, or that came with a certificate on file and issued it. Raises `BadInput`
    when the list is none, or nobody of these signed it.
    """
    found, sealer = revocations.read(data, at), keys.sealer()
    rows = KeyRow.objects.select_for_update().filter(kind=KeyKind.SMIME, ended_at=None)
    chains = [
        (row, (document.key, *document.issuers))
        for row in rows
        for document in (keeping.open_document(sealer, row),)
    ]
    authority = revocations.signer(found, [*_anchors(), *(each for _, chain in chains for each in chain[1:])])
    if authority is None:
        raise BadInput(
            "No authority that you trust, and none of a certificate on file, signed this list.",
            place="list",
            next_step="Trust the authority first, or ask it for its own list.",
        )
    taken = [row for row, chain in chains if revocations.takes_back(found, authority, chain)]
    for row in taken:
        _end(row, Revocation.BY_AUTHORITY, actor, at)
    return len(taken)


def keep_found(contact_id: UUID, address: str, body: bytes, *, actor: Actor, at: datetime) -> Found:
    """Keep what the directory of an address's domain answered, and return what it came to.

    A key counts when it carries the address; one that its holder revoked ends the one on file.
    """
    rows = list(
        KeyRow.objects.select_for_update().filter(contact_id=contact_id, kind=KeyKind.OPENPGP, ended_at=None)
    )
    sealer = keys.sealer()
    present = {keeping.open_document(sealer, row).fingerprint: row for row in rows}
    fit: NewKey | None = None
    for each in openpgp.read_all(body, at):
        if each.revoked and each.fingerprint in present:
            _end(present.pop(each.fingerprint), Revocation.BY_HOLDER, actor, at)
        elif not each.revoked and address in each.addresses and fit is None:
            fit = of_openpgp(each)
    if fit is None:
        return Found.UNFIT
    if fit.fingerprint in present:
        return _refreshed(present[fit.fingerprint], fit, at)
    if any(row.source != Source.WKD for row in present.values()):
        return Found.SAME  # what a person compared goes before what a server says
    _put(fit, contact_id, address, Vouched.DOMAIN, Source.WKD, actor, at)
    return Found.KEPT


def found_none(contact_id: UUID, *, actor: Actor, at: datetime) -> None:
    """End the key that a directory gave and does not have any more."""
    for row in KeyRow.objects.select_for_update().filter(
        contact_id=contact_id, source=Source.WKD, ended_at=None
    ):
        _end(row, Revocation.WITHDRAWN, actor, at)


def note_look_up(contact_id: UUID, found: Found, *, actor: Actor, at: datetime) -> None:
    """Record that a directory was asked for a person's key."""
    LookRow.objects.filter(contact_id=contact_id).delete()
    LookRow(contact_id=contact_id, at=at, found=found).save(force_insert=True)
    audit.record(
        Action.SEALED_KEY_LOOK_UP, actor=actor, object_kind="contact", object_id=contact_id, patient_id=contact_id,
        outcome=found,
    )  # fmt: skip


def erase_person(contact_id: UUID) -> Left:
    """Erase a person's keys; what receipts hold of them leads nowhere then. Safe to repeat."""
    gone, _ = KeyRow.objects.filter(contact_id=contact_id).delete()
    looked, _ = LookRow.objects.filter(contact_id=contact_id).delete()
    return Left({"keys": gone, "lookups": looked})


def join_person(pair: Pair) -> list[UUID]:
    """Let a merged person's keys be those of whom they were merged into; return which."""
    rows = KeyRow.objects.filter(contact_id=pair.gone_id)
    moved = list(rows.values_list("id", flat=True))
    rows.update(contact_id=pair.kept_id)
    LookRow.objects.filter(contact_id=pair.gone_id).delete()
    return moved


def part_person(pair: Pair, moved: Iterable[UUID]) -> None:
    """Give a person who was split off again their keys back, as far as they are still there."""
    KeyRow.objects.filter(contact_id=pair.kept_id, id__in=list(moved)).update(contact_id=pair.gone_id)


def end_unvouched(*, actor: Actor, at: datetime) -> int:
    """End the keys for which no authority vouches any more that is trusted; return how many."""
    left, count = _anchors(), 0
    sealer = keys.sealer()
    for row in KeyRow.objects.select_for_update().filter(vouched=Vouched.AUTHORITY, ended_at=None):
        document = keeping.open_document(sealer, row)
        chain = certificates.as_pem((document.key, *document.issuers))
        if not certificates.is_vouched_for(certificates.read(chain), left, at):
            _end(row, Revocation.UNTRUSTED, actor, at)
            count += 1
    return count


def _anchors() -> list[bytes]:
    return [bytes(each) for each in AnchorRow.objects.values_list("certificate", flat=True)]


def _address_of(contact_id: UUID, new: NewKey) -> str:
    for address in new.addresses:
        try:
            if contact_id in contacts.find_by_address(Channel.EMAIL, address):
                return contacts.normalize_email(address).lower()
        except BadInput:
            continue
    raise BadInput(
        "The key carries none of this person's addresses.",
        place="key",
        next_step="Ask for the key of the address that you write to.",
    )


def _put(
    new: NewKey,
    contact_id: UUID | None,
    place: str,
    vouched: Vouched,
    source: Source,
    actor: Actor,
    at: datetime,
) -> UUID:
    """Put a key on file for an address, or for a domain; it takes the place of the one before."""
    sealer = keys.sealer()
    for row in KeyRow.objects.filter(contact_id=contact_id, why=Revocation.BY_AUTHORITY):
        if keeping.open_document(sealer, row).fingerprint == new.fingerprint:
            raise BadInput("Its authority took this certificate back.", place="key")
    for row in KeyRow.objects.select_for_update().filter(contact_id=contact_id, kind=new.kind, ended_at=None):
        document = keeping.open_document(sealer, row)
        if (document.address or document.domain) != place:
            continue
        if document.fingerprint == new.fingerprint and document.key == new.key:
            raise Conflict("This key is on file already.")
        row.ended_at = at
        row.save(update_fields=["ended_at"])
        _record(Action.SEALED_KEY_REVOKE, row, actor, "replaced")
    row = KeyRow(
        id=new_id(),
        contact_id=contact_id,
        kind=new.kind,
        source=source,
        vouched=vouched,
        not_before=new.not_before,
        not_after=new.not_after,
        added_at=at,
        refreshed_at=at if source is Source.WKD else None,
    )
    address, domain = (place, "") if contact_id else ("", place)
    document = Document(new.key, new.fingerprint, new.algorithm, address, domain, new.holder, new.issuers)
    row.sealed = keeping.seal(row.id, document)
    row.save(force_insert=True)
    _record(Action.SEALED_KEY_ADD, row, actor, str(vouched))
    return row.id


def _refreshed(row: KeyRow, found: NewKey, at: datetime) -> Found:
    """Take over what a directory says anew of a key: that it still stands, and until when."""
    document = keeping.open_document(keys.sealer(), row)
    row.refreshed_at, row.not_after = at, found.not_after
    changed = Document(
        found.key, found.fingerprint, found.algorithm, document.address, document.domain, found.holder,
        document.issuers, document.salt,
    )  # fmt: skip
    row.sealed = keeping.seal(row.id, changed)
    row.save(update_fields=["refreshed_at", "not_after", "sealed"])
    return Found.SAME


def _living(key_id: UUID) -> KeyRow:
    row = KeyRow.objects.select_for_update().filter(id=key_id).first()
    if row is None:
        raise NotFound
    if row.ended_at is not None:
        raise Conflict("This key is not in use any more.")
    return row


def _end(row: KeyRow, why: Revocation, actor: Actor, at: datetime) -> None:
    row.ended_at, row.why = at, why
    row.save(update_fields=["ended_at", "why"])
    _record(Action.SEALED_KEY_REVOKE, row, actor, str(why))


def _record(action: Action, row: KeyRow, actor: Actor, outcome: str) -> None:
    audit.record(
        action,
        actor=actor,
        object_kind="sealed_mail_key",
        object_id=row.id,
        patient_id=row.contact_id,
        outcome=outcome,
        details={"kind": str(row.kind), "source": str(row.source)},
    )
