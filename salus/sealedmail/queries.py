"""Reads of sealed mail: whom messages are encrypted to, what is on file, what ends."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from psycopg import sql

from salus.kernel.errors import NotFound
from salus.keys import api as keys
from salus.platform import bulk
from salus.sealedmail import keeping, rules
from salus.sealedmail.contracts import (
    Anchor,
    Choices,
    Ending,
    Filed,
    Found,
    KeyKind,
    LookedUp,
    OnFile,
    Own,
    Recipient,
    SigningKeys,
    Standing,
    Use,
)
from salus.sealedmail.formats import certificates
from salus.sealedmail.models import AnchorRow, ChoiceRow, KeyRow, LookRow, OwnRow

_ON_FILE = sql.SQL(
    "SELECT id FROM sealedmail_key WHERE (contact_id = ANY(%s) OR contact_id IS NULL) AND ended_at IS NULL"
)
_FILED = sql.SQL(
    "SELECT (SELECT look_up FROM sealedmail_choice), look.at, look.found, "
    "EXISTS (SELECT FROM sealedmail_key kept WHERE kept.contact_id = asked.id) "
    "FROM (SELECT %s::uuid AS id) AS asked LEFT JOIN sealedmail_look look ON look.contact_id = asked.id"
)


def recipients(
    wanted: Mapping[UUID, tuple[UUID, str]], at: datetime
) -> tuple[dict[UUID, Recipient], SigningKeys | None]:
    """Return whom each message is encrypted to, and what it is signed with.

    `wanted` has the person and the address of each message by its id. A person's own key goes before that of
    the address's domain, and counts for its own address only. Where there are no keys it is one question.
    """
    on_file = bulk.read(_ON_FILE, [list({contact_id for contact_id, _ in wanted.values()})])
    if not on_file:
        return {}, None
    rows = list(KeyRow.objects.filter(id__in=[id for (id,) in on_file]))
    sealer, always = keys.sealer(), choices().use is Use.ALWAYS
    by_place: dict[tuple[UUID | None, str], list[tuple[KeyRow, keeping.Document]]] = {}
    for row in rows:
        document = keeping.open_document(sealer, row)
        by_place.setdefault((row.contact_id, document.address or document.domain), []).append((row, document))
    found: dict[UUID, Recipient] = {}
    for message_id, (contact_id, written_to) in wanted.items():
        address = written_to.lower()
        for place in ((contact_id, address), (None, address.rpartition("@")[2])):
            mine = {row.id: (row, document) for row, document in by_place.get(place, ())}
            chosen = rules.choose([keeping.kept(row) for row, _ in mine.values()], at)
            if chosen is not None:
                found[message_id] = keeping.recipient(*mine[chosen], always=always)
                break
    return found, signing_keys(at) if found else None


def still_in_use(key_ids: Iterable[UUID], at: datetime) -> set[UUID]:
    """Return those of the keys that may be written to at this moment."""
    rows = KeyRow.objects.filter(id__in=list(key_ids)).defer("sealed")
    return {row.id for row in rows if rules.standing(keeping.kept(row), at) is Standing.IN_USE}


def signing_keys(at: datetime) -> SigningKeys | None:
    """Return what the organization signs with at this moment, None when it has nothing that has not ended."""
    rows = {
        KeyKind(row.kind): keeping.open_own(row.id, row.sealed)
        for row in OwnRow.objects.all()
        if row.not_after is None or row.not_after > at
    }
    if not rows:
        return None
    smime, openpgp = rows.get(KeyKind.SMIME, {}), rows.get(KeyKind.OPENPGP, {})
    return SigningKeys(
        certificate=base64.b64decode(smime.get("certificate", "")),
        key=base64.b64decode(smime.get("key", "")),
        issuers=tuple(base64.b64decode(each) for each in smime.get("issuers", ())),
        openpgp=base64.b64decode(openpgp.get("key", "")),
    )


def keys_of(contact_id: UUID, at: datetime) -> list[OnFile]:
    """Return the keys of a person, the newest first, also those that have ended."""
    return _on_file(KeyRow.objects.filter(contact_id=contact_id), at)


def filed(contact_id: UUID, at: datetime) -> Filed:
    """Return what a person's page says of keys; where there are none, by one question."""
    look_up, looked_at, found, has_keys = bulk.read(_FILED, [contact_id])[0]
    return Filed(
        keys_of(contact_id, at) if has_keys else [],
        LookedUp(looked_at, Found(found)) if looked_at else None,
        Choices().look_up if look_up is None else look_up,
    )


def keys_of_domains(at: datetime) -> list[OnFile]:
    """Return the keys of partners' domains by domain, also those that have ended."""
    found = _on_file(KeyRow.objects.filter(contact_id=None), at)
    return sorted(found, key=lambda each: each.domain.reveal())


def key(key_id: UUID, at: datetime) -> OnFile:
    """Return one key; raises `NotFound`."""
    found = _on_file(KeyRow.objects.filter(id=key_id), at)
    if not found:
        raise NotFound
    return found[0]


def is_marked(key_id: UUID, mark: str) -> bool:
    """Tell whether a receipt's mark is that of a key on file."""
    row = KeyRow.objects.filter(id=key_id).first()
    return row is not None and keeping.open_document(keys.sealer(), row).mark == mark


def _on_file(rows: Iterable[KeyRow], at: datetime) -> list[OnFile]:
    sealer = keys.sealer()
    found = [keeping.on_file(row, keeping.open_document(sealer, row), at) for row in rows]
    return sorted(found, key=lambda each: (each.added_at, each.id), reverse=True)


def own() -> list[Own]:
    """Return what the organization signs with; secret keys are not among it."""
    found = []
    for row in OwnRow.objects.order_by("kind"):
        document = keeping.open_own(row.id, row.sealed)
        found.append(
            Own(
                kind=KeyKind(row.kind),
                holder=document["holder"],
                address=document["address"],
                fingerprint=document["fingerprint"],
                not_after=row.not_after,
                self_signed=row.self_signed,
                added_at=row.added_at,
                public=document["public"],
            )
        )
    return found


def anchors() -> list[Anchor]:
    """Return the authorities that the organization trusts, the newest first."""
    return [
        Anchor(
            row.id,
            certificates.read_authority(bytes(row.certificate)).subject,
            row.fingerprint,
            row.not_after,
            row.added_at,
        )
        for row in AnchorRow.objects.order_by("-added_at")
    ]


def choices() -> Choices:
    """Return what the organization chose about keys."""
    row = ChoiceRow.objects.first()
    return Choices(Use(row.use), row.look_up) if row else Choices()


def looked_up(contact_id: UUID) -> LookedUp | None:
    """Return when a directory was asked for a person's key last; None: never."""
    row = LookRow.objects.filter(contact_id=contact_id).first()
    return LookedUp(row.at, Found(row.found)) if row else None


def endings(at: datetime) -> list[Ending]:
    """Return the keys that end soon or have ended, of others and our own; what was revoked or replaced is not one."""
    until = at + rules.SOON
    theirs = KeyRow.objects.filter(ended_at=None, not_after__lte=until).defer("sealed")
    ours = OwnRow.objects.filter(not_after__lte=until).defer("sealed")
    found = [Ending(row.id, KeyKind(row.kind), row.contact_id, row.not_after, False) for row in theirs]  # type: ignore[arg-type]
    found += [Ending(row.id, KeyKind(row.kind), None, row.not_after, True) for row in ours]  # type: ignore[arg-type]
    return sorted(found, key=lambda each: each.not_after)


def due_for_look_up(at: datetime, limit: int) -> list[UUID]:
    """Return people whose key came from a directory that is to be asked again."""
    rows = KeyRow.objects.filter(source="wkd", ended_at=None).exclude(contact_id=None).defer("sealed")
    due = {row.contact_id: None for row in rows if rules.is_due(keeping.kept(row), at)}
    return [each for each in due if each is not None][:limit]


def export_person(contact_id: UUID, at: datetime) -> list[dict[str, str]]:
    """Return the keys that are on file of a person, as JSON values."""
    return [
        {
            "kind": each.kind.value,
            "address": each.address.reveal(),
            "holder": each.holder.reveal(),
            "fingerprint": each.fingerprint.reveal(),
            "added_at": each.added_at.isoformat(),
            "standing": each.standing.value,
        }
        for each in keys_of(contact_id, at)
    ]
