"""Saves and freezes segments, puts people into static ones: each in one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from pyroaring import BitMap

from salus.audiences import knowledge, lists, parse, queries
from salus.audiences.client import Engine
from salus.audiences.contracts import LISTED, Frozen, Segment, Tree
from salus.audiences.models import FrozenRow, SegmentRow
from salus.audiences.nodes import Moment
from salus.audiences.reads import LIST, reads
from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.ids import new_id
from salus.kernel.time import Clock
from salus.kernel.vocabulary import PhiClass, Special
from salus.keys import api as keys
from salus.platform.tenancy import current_organization

LONGEST_NAME = 120


def save_segment(
    *, name: str, tree: Tree, actor: Actor, clock: Clock, segment_id: UUID | None, version: int | None
) -> Segment:
    """Make a segment, or change the one with `segment_id` if it is still at `version`."""
    title = _title(name)
    now = clock.now()
    known = {row.id: row for row in SegmentRow.objects.select_for_update().order_by("id")}
    row = known.get(segment_id) if segment_id is not None else None
    if segment_id is not None and row is None:
        row = queries.row_of(segment_id)
    if row is None:
        row = SegmentRow(id=new_id(), version=0, created_at=now)
    elif version is not None and row.version != version:
        raise Conflict(
            "Somebody else changed this segment meanwhile.",
            kept="Your rules are still here.",
            next_step="Look at the present rules, then save yours again.",
        )
    if row.version and _own_rule(queries.opened(row)["tree"], row.id) and not _own_rule(tree, row.id):
        raise BadInput(
            "people are put into this segment by hand and by journeys: it has no rules to change", place="$"
        )
    words = queries.lexicon()
    node = parse.parse(tree, words, inside=row.id)
    _check_those_that_use_it(row.id, tree)
    _keep(row, title, tree, now)
    found = reads(node, words)
    _record_save(row, sorted({one.field for one in found}), actor)
    return queries.segment(row, words)


def create_static(
    *, name: str, tells: Iterable[PhiClass], specials: Iterable[Special], actor: Actor, clock: Clock
) -> Segment:
    """Make a segment that people are put into; being in it tells what `tells` and `specials` say."""
    title, classes = _title(name), sorted(set(tells))
    if not classes:
        raise BadInput(
            "say what being in it tells of a person", place="tells", next_step="At least: engagement."
        )
    now = clock.now()
    row = SegmentRow(id=new_id(), version=0, created_at=now)
    rule: dict[str, Any] = {LISTED: str(row.id), "tells": classes}
    special = sorted(set(specials))
    tree = {"version": parse.VERSION, "where": rule | ({"special": special} if special else {})}
    _keep(row, title, tree, now)
    _record_save(row, [LIST], actor)
    return queries.segment(row, queries.lexicon())


def change_members(segment_id: UUID, numbers: Iterable[int], *, wanted: bool, actor: Actor) -> int:
    """Put contact numbers into a static segment, or take them out; return for how many that was a change."""
    if not _own_rule(queries.opened(queries.row_of(segment_id))["tree"], segment_id):
        raise BadInput("rules say who is in this segment: nobody can be put into it", place="segment_id")
    try:
        given = BitMap(numbers)
    except (OverflowError, TypeError, ValueError):
        raise BadInput("is not a contact number", place="numbers") from None
    # A number that nobody has yet would put a stranger in, on the day when it is given.
    if given and (given.min() < 1 or (wanted and given.max() > contacts.last_number())):
        raise BadInput("nobody here has this contact number", place="numbers")
    changed = lists.put(segment_id, given, wanted=wanted)
    if changed:
        alone = contacts.ids_of(list(given)).get(given.min()) if len(given) == 1 else None
        audit.record(
            Action.SEGMENT_MEMBERS,
            actor=actor,
            object_kind="segment",
            object_id=segment_id,
            patient_id=alone,
            details={"added" if wanted else "removed": changed},
        )
    return changed


def _title(name: str) -> str:
    title = " ".join(name.split())
    if not title or len(title) > LONGEST_NAME or not title.isprintable():
        raise BadInput(f"a name has 1 to {LONGEST_NAME} characters", place="name")
    return title


def _own_rule(tree: Tree, segment_id: UUID) -> bool:
    """Return whether `tree` is that of a static segment with this id."""
    where = tree.get("where") if isinstance(tree, Mapping) else None
    return isinstance(where, Mapping) and where.get(LISTED) == str(segment_id)


def _keep(row: SegmentRow, title: str, tree: Tree, now: datetime) -> None:
    row.version += 1
    row.changed_at = now
    row.sealed = keys.sealer().seal(
        orjson.dumps({"name": title, "tree": tree}),
        keys.binding(current_organization(), queries.SEGMENT_TABLE, row.id),
    )
    row.save()


def _record_save(row: SegmentRow, fields: Sequence[str], actor: Actor) -> None:
    audit.record(
        Action.SEGMENT_SAVE,
        actor=actor,
        object_kind="segment",
        object_id=row.id,
        fields=fields,
        details={"version": row.version},
    )


def _check_those_that_use_it(segment_id: UUID, tree: Tree) -> None:
    """Refuse a tree with which another segment that uses this one would become too deep or large."""
    all_trees = queries.trees() | {segment_id: tree}
    words = knowledge.lexicon(lambda wanted: all_trees[wanted])
    for other, its_tree in all_trees.items():
        if other != segment_id and segment_id in parse.referred(its_tree):
            try:
                parse.parse(its_tree, words, inside=other)
            except (BadInput, KeyError):
                raise BadInput(
                    "another segment that uses this one would no longer be good", place="$"
                ) from None


def freeze(*, segment_id: UUID, actor: Actor, clock: Clock, moment: Moment) -> Frozen:
    """Fix who is in a segment, after the engine has caught up with all that is committed by now."""
    row = queries.row_of(segment_id)
    content = queries.opened(row)
    words = queries.lexicon()
    found = reads(parse.parse(content["tree"], words, inside=row.id), words)
    answer = Engine.of_current().members(content["tree"], moment, need=queries.heads())
    frozen_id, organization_id, sealer = new_id(), current_organization(), keys.sealer()
    about = {
        "name": content["name"],
        "tree": content["tree"],
        "reads": queries.reads_json(found),
        "at": moment.at.isoformat(),
        "zone": moment.zone,
        "positions": answer.positions,
    }
    frozen = FrozenRow(
        id=frozen_id,
        segment_id=segment_id,
        segment_version=row.version,
        change=answer.positions["contacts"],
        count=answer.count,
        frozen_at=moment.at,
        sealed=sealer.seal(
            orjson.dumps(about), keys.binding(organization_id, queries.FROZEN_TABLE, frozen_id)
        ),
        sealed_members=sealer.seal(
            answer.members, keys.binding(organization_id, queries.MEMBERS_TABLE, frozen_id)
        ),
    )
    frozen.save(force_insert=True)
    audit.record(
        Action.SEGMENT_FREEZE,
        actor=actor,
        object_kind="segment",
        object_id=segment_id,
        fields=sorted({one.field for one in found}),
        details={"people": answer.count, "change": frozen.change, "version": row.version},
    )
    return queries.frozen(frozen_id)
