"""Reads segments and frozen memberships of the current organization, opened."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from salus.audiences import knowledge, lists, parse
from salus.audiences.contracts import Frozen, Segment, Tree
from salus.audiences.lexicon import Lexicon
from salus.audiences.models import FrozenRow, SegmentRow
from salus.audiences.reads import reads
from salus.contacts import api as contacts
from salus.contacts.contracts import Read
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import PhiClass, Special
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.platform.tenancy import current_organization
from salus.timeline import api as timeline

SEGMENT_TABLE, FROZEN_TABLE, MEMBERS_TABLE = (
    "audiences_segment",
    "audiences_frozen",
    "audiences_frozen.members",
)


def trees() -> dict[UUID, Tree]:
    """Return the tree of every segment."""
    sealer, organization_id = keys.sealer(), current_organization()
    return {
        row.id: orjson.loads(
            sealer.open(bytes(row.sealed), keys.binding(organization_id, SEGMENT_TABLE, row.id))
        )["tree"]
        for row in SegmentRow.objects.all()
    }


def lexicon() -> Lexicon:
    """Return the language's words, with the segments of the current organization."""
    known: dict[UUID, Tree] = {}

    def find(segment_id: UUID) -> Tree:
        if segment_id not in known:
            known[segment_id] = opened(row_of(segment_id))["tree"]
        return known[segment_id]

    return knowledge.lexicon(find)


def row_of(segment_id: UUID) -> SegmentRow:
    """Return a segment's row; raises `NotFound`."""
    row = SegmentRow.objects.filter(id=segment_id).first()
    if row is None:
        raise NotFound
    return row


def opened(row: SegmentRow) -> dict[str, Any]:
    """Return the name and tree of a segment."""
    binding = keys.binding(current_organization(), SEGMENT_TABLE, row.id)
    found: dict[str, Any] = orjson.loads(keys.sealer().open(bytes(row.sealed), binding))
    return found


def segment(row: SegmentRow, words: Lexicon) -> Segment:
    """Return a row as the contract's value.

    A tree that is no longer good (a segment it names went away) is returned all the same; it reads
    everything that can still be said of it, which is nothing, and cannot be counted or frozen.
    """
    content = opened(row)
    try:
        found = reads(parse.parse(content["tree"], words, inside=row.id), words)
    except BadInput:
        found = ()
    return Segment(row.id, Phi(content["name"]), content["tree"], found, row.version)


def segments() -> list[Segment]:
    """Return every segment, the one changed last first."""
    words = lexicon()
    return [segment(row, words) for row in SegmentRow.objects.order_by("-changed_at", "-id")]


def heads() -> dict[str, int]:
    """Return the number of the last entry of each feed that the engine follows."""
    return {
        "contacts": contacts.head_change(),
        "permissions": permissions.head_change(),
        "timeline": timeline.head(),
        "lists": lists.head(),
    }


def closure(tree: Tree) -> dict[UUID, Tree]:
    """Return the trees of all segments that `tree` leads to; those that are not here are left out."""
    found: dict[UUID, Tree] = {}
    waiting = parse.referred(tree)
    while waiting:
        rows = SegmentRow.objects.filter(id__in=waiting)
        new = {row.id: opened(row)["tree"] for row in rows}
        found |= new
        waiting = {one for each in new.values() for one in parse.referred(each)} - set(found)
    return found


def fingerprint(segment_id: UUID) -> str:
    """Return a hash of all rules that decide who is in a segment; raises `NotFound`."""
    tree = opened(row_of(segment_id))["tree"]
    others = sorted((str(other), found) for other, found in closure(tree).items())
    return sha256(orjson.dumps([tree, others], option=orjson.OPT_SORT_KEYS)).hexdigest()


def frozen(frozen_id: UUID) -> Frozen:
    """Return a frozen membership; raises `NotFound`."""
    row = FrozenRow.objects.filter(id=frozen_id).first()
    if row is None:
        raise NotFound
    return _frozen(row)


def latest_frozen(segment_id: UUID) -> Frozen | None:
    """Return the newest frozen membership of a segment, or None."""
    row = FrozenRow.objects.filter(segment_id=segment_id).order_by("-id").first()
    return _frozen(row) if row else None


def frozen_name(frozen_id: UUID) -> Phi[str]:
    """Return the name that the segment had when it was frozen."""
    row = FrozenRow.objects.filter(id=frozen_id).first()
    if row is None:
        raise NotFound
    return Phi(str(_about(row)["name"]))


def _about(row: FrozenRow) -> dict[str, Any]:
    binding = keys.binding(current_organization(), FROZEN_TABLE, row.id)
    found: dict[str, Any] = orjson.loads(keys.sealer().open(bytes(row.sealed), binding))
    return found


def _frozen(row: FrozenRow) -> Frozen:
    members = keys.sealer().open(
        bytes(row.sealed_members), keys.binding(current_organization(), MEMBERS_TABLE, row.id)
    )
    return Frozen(
        id=row.id,
        segment_id=row.segment_id,
        change=row.change,
        count=row.count,
        frozen_at=row.frozen_at,
        members=members,
        reads=tuple(_read(one) for one in _about(row)["reads"]),
    )


def reads_json(found: Iterable[Read]) -> list[dict[str, Any]]:
    """Return reads as JSON, to be sealed."""
    return [
        {
            "field": one.field,
            "class": one.phi_class.value,
            "special": one.special.value if one.special else None,
            "origin": one.origin,
            "place": one.place,
            "code": one.code,
        }
        for one in found
    ]


def _read(given: dict[str, Any]) -> Read:
    special = Special(given["special"]) if given["special"] else None
    return Read(
        given["field"], PhiClass(given["class"]), special, given["origin"], given["place"], given["code"]
    )
