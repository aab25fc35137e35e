"""Saves and freezes segments: each in one transaction with its audit entry."""

from __future__ import annotations

from uuid import UUID

import orjson

from salus.audiences import knowledge, parse, queries
from salus.audiences.client import Engine
from salus.audiences.contracts import Frozen, Segment, Tree
from salus.audiences.models import FrozenRow, SegmentRow
from salus.audiences.nodes import Moment
from salus.audiences.reads import reads
from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.ids import new_id
from salus.kernel.time import Clock
from salus.keys import api as keys
from salus.platform.tenancy import current_organization

LONGEST_NAME = 120


def save_segment(
    *, name: str, tree: Tree, actor: Actor, clock: Clock, segment_id: UUID | None, version: int | None
) -> Segment:
    """Make a segment, or change the one with `segment_id` if it is still at `version`."""
    title = " ".join(name.split())
    if not title or len(title) > LONGEST_NAME or not title.isprintable():
        raise BadInput(f"a name has 1 to {LONGEST_NAME} characters", place="name")
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
    words = queries.lexicon()
    node = parse.parse(tree, words, inside=row.id)
    _check_those_that_use_it(row.id, tree)
    row.version += 1
    row.changed_at = now
    row.sealed = keys.sealer().seal(
        orjson.dumps({"name": title, "tree": tree}),
        keys.binding(current_organization(), queries.SEGMENT_TABLE, row.id),
    )
    row.save()
    found = reads(node, words)
    audit.record(
        Action.SEGMENT_SAVE,
        actor=actor,
        object_kind="segment",
        object_id=row.id,
        fields=sorted({one.field for one in found}),
        details={"version": row.version},
    )
    return queries.segment(row, words)


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
