"""By which messages leave when their destination refuses our own: a relay that is kept ready, if it may carry them; else they wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from salus.delivery import judging, routing
from salus.delivery.contracts import State
from salus.delivery.outcomes import Outcome
from salus.delivery.preparing import Prepared
from salus.delivery.routing import Way
from salus.delivery.transports.handover import Fate
from salus.delivery.transports.handover import Outcome as WireOutcome
from salus.kernel.errors import NotFound
from salus.kernel.vocabulary import Protection
from salus.shaping.contracts import Detour
from salus.vendors.contracts import OutOfScope

NO_RELAY, TOO_WEAK = "no_relay_of_that_name", "relay_too_weak"
"""Why a message waits for its own way instead of going by the relay."""


@dataclass(frozen=True, slots=True)
class Parted:
    """The way by the relay, who goes by it, and what becomes of those who wait."""

    way: Way | None
    going: Sequence[Prepared]
    waiting: Sequence[Outcome]


def part(batch: Sequence[Prepared], detour: Detour, at: datetime) -> Parted:
    """Say which messages may go by a relay that is kept ready; nothing goes by one that may not have it.

    A message that tells more than its vendor may carry, or needs a level that a relay does not reach, waits until
    its own way is open again: a detour is short, so that the portal would be the worse answer.
    """
    try:
        way = routing.standby(detour.relay, at)
    except NotFound:
        return Parted(None, (), [_waits(each, NO_RELAY, detour, at) for each in batch])
    except OutOfScope as refused:
        return Parted(None, (), [_waits(each, str(refused.why), detour, at) for each in batch])
    relay = {"name": way.name, "service": str(way.service_id)}
    named = [replace(each, relay=relay) for each in batch]
    beyond = routing.beyond(way, map(judging.told, named), at)
    why = {
        each.lease.message_id: beyond.get(judging.told(each))
        or (TOO_WEAK if each.floor is Protection.VERIFIED and each.reader is None else "")
        for each in named
    }
    return Parted(
        way,
        [each for each in named if not why[each.lease.message_id]],
        [_waits(each, said, detour, at) for each in named if (said := why[each.lease.message_id])],
    )


def fell_short(prepared: Prepared, result: WireOutcome) -> bool:
    """Tell whether the relay, and only the relay, cannot protect a message as it needs."""
    return bool(prepared.relay) and result.fate is Fate.UNPROTECTED and prepared.floor is Protection.VERIFIED


def too_weak(prepared: Prepared, at: datetime) -> Outcome:
    """Return what becomes of such a message: it waits, and is asked about again."""
    return _deferred(prepared, TOO_WEAK, at, judging.REST)


def _waits(prepared: Prepared, reason: str, detour: Detour, at: datetime) -> Outcome:
    if not prepared.relay:
        prepared = replace(prepared, relay={"name": detour.relay, "service": ""})
    return _deferred(prepared, reason, at, timedelta(seconds=detour.seconds))


def _deferred(prepared: Prepared, reason: str, at: datetime, rest: timedelta) -> Outcome:
    return Outcome(prepared, State.DEFERRED, at, reason=reason, again_at=at + rest, tried=False)
