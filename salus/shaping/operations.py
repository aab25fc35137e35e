"""For staff: the measures of the organization, lifting one, what addresses that warm up have sent, forgetting what is old."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict, NotFound
from salus.keys import api as keys
from salus.shaping import rules, units
from salus.shaping.contracts import Act, Measure, Plan, ToldMeasure, Volume, Whose
from salus.shaping.models import MeasureRow, SlotRow, VolumeRow
from salus.shaping.store import binding

KEPT = timedelta(days=90)
"""How long measures that ended, calendars and volumes are kept; the log has them for longer."""


def measures(at: datetime, *, most: int = 100) -> list[ToldMeasure]:
    """Return the measures of the organization: those in force first, then the newest."""
    rows = list(MeasureRow.objects.order_by("-at")[:most])
    told = [_told(each) for each in rows]
    return sorted(told, key=lambda each: not each.stands(at))


def measure(id: UUID) -> ToldMeasure:
    """Return one measure of the organization. Raises `NotFound`."""
    row = MeasureRow.objects.filter(id=id).first()
    if row is None:
        raise NotFound
    return _told(row)


def lift(id: UUID, *, actor: Actor, at: datetime) -> None:
    """End a measure now. Raises `NotFound`, and `Conflict` when it has ended."""
    row = MeasureRow.objects.select_for_update().filter(id=id).first()
    if row is None:
        raise NotFound
    if row.lifted_at or row.until <= at:
        raise Conflict("This has ended by itself, or somebody lifted it.")
    row.lifted_at = at
    row.save(update_fields=["lifted_at"])
    audit.record(
        Action.SHAPING_LIFT, actor=actor, object_kind="measure", object_id=id, reason=row.rule, at=at
    )


def volumes(plan: Plan, at: datetime) -> list[Volume]:
    """Return, of all addresses that warm up, what they have sent today (UTC) and the most that they may.

    Counted is what senders took in advance too, at most a fiftieth of the day's volume each.
    """
    today = at.date()
    used = {(row.source, row.site): row.used for row in VolumeRow.objects.filter(day=today)}
    found = []
    for source in (each for pool in plan.pools for each in pool.sources):
        if not source.curve:
            continue
        curve, day = plan.curves[source.curve], rules.day_of(source, today)
        found += [
            Volume(
                source.name, site, today, used.get((source.name, site), 0), rules.most_of(curve, site, day)
            )
            for site in curve.volumes
        ]
    return found


def forget(at: datetime) -> None:
    """Remove what is old: measures of the organization, calendars and volumes of all."""
    MeasureRow.objects.filter(until__lt=at - KEPT).delete()
    SlotRow.objects.filter(next_at__lt=at - KEPT).delete()
    VolumeRow.objects.filter(day__lt=(at - KEPT).date()).delete()


def _told(row: MeasureRow) -> ToldMeasure:
    found = Measure(
        row.id,
        row.organization_id,
        row.site,
        Act(row.act),
        Whose(row.whose),
        row.until,
        units.rate(row.messages, "messages") if row.messages else None,
        row.connections,
        row.to,
    )
    name = keys.sealer().open(bytes(row.sealed), binding(found)).decode()
    return ToldMeasure(found, name, row.rule, row.said, row.at, row.times, row.lifted_at)
