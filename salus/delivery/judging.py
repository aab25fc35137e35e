"""Pure: what the wire's outcome means for the message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from salus.delivery.contracts import State
from salus.delivery.deposits import FLOOR_IS_PORTAL, PORTAL_WAS_CHOSEN
from salus.delivery.outcomes import Outcome, deferred
from salus.delivery.preparing import Batch, Prepared
from salus.delivery.transports.handover import Fate, Phase
from salus.delivery.transports.handover import Outcome as WireOutcome
from salus.kernel.vocabulary import Channel, PhiClass, Protection, Special
from salus.vendors.contracts import Label

_LABELS: dict[str, Label] = {each.value: each for each in (*PhiClass, *Special)}
AT_ONCE = frozenset({"lease_ends", "closing"})
"""Why a message was not tried though its destination is well: it is leased again at once."""
PUT_OFF = frozenset({"paced", "busy_site", "switched"})
"""Why a message was not tried though nothing is wrong: it just goes back to the queue until its time, without a receipt."""
REST = timedelta(seconds=30)
"""How long a message waits when its destination rests; that is no attempt. The wire may know better."""


def straight_to_portal(prepared: Prepared, at: datetime) -> Outcome:
    """Return the outcome of a message that must not travel by mail at all."""
    reason = PORTAL_WAS_CHOSEN if prepared.channel is Channel.PORTAL else prepared.kept_from_relay
    reason = reason or FLOOR_IS_PORTAL
    return Outcome(prepared, State.PORTAL, at, reached=Protection.PORTAL, reason=reason)


def told(prepared: Prepared) -> frozenset[Label]:
    """Return what a message tells, for the register."""
    return frozenset(_LABELS[word] for word in prepared.content.decision["disclosed"])


def keep_from_relay(batch: Batch, beyond: Mapping[frozenset[Label], str]) -> None:
    """Let messages that tell more than the relay may carry stay in the portal; `beyond` has the reasons."""
    batch.prepared = [
        replace(each, floor=Protection.PORTAL, kept_from_relay=beyond[told(each)])
        if told(each) in beyond
        else each
        for each in batch.prepared
    ]


def _not_tried(prepared: Prepared, wire: WireOutcome, at: datetime) -> Outcome | None:
    if wire.reason in AT_ONCE:
        return None
    rest = timedelta(seconds=wire.again_in) if wire.again_in else REST
    return Outcome(prepared, State.DEFERRED, at, reason=wire.reason, again_at=at + rest, tried=False)


def judge(
    prepared: Prepared, wire: WireOutcome, body_hash: str, at: datetime, jitter: float
) -> Outcome | None:
    """Return what became of the message, None when it was not tried and is to be prepared anew.

    An unprotected path turns a letter into a portal deposit. A notice or a sign-in code that cannot be
    protected has nowhere else to go and gives up; a notice makes its deposit `portal_unnotified` by that.
    """
    reply = f"{wire.reply.code} {wire.reply.enhanced}".strip() if wire.reply else ""
    tls = wire.tls.as_dict() if wire.tls else {}
    if wire.requires_tls:
        tls["require_tls"] = "yes"
    reached = wire.tls.level if wire.tls else None
    kind = wire.verdict.kind if wire.verdict else None
    match wire.fate:
        case Fate.WITHDRAWN:
            return None
        case Fate.TEMPORARY | Fate.BROKEN if wire.phase is Phase.QUEUE:
            return _not_tried(prepared, wire, at)
        case Fate.ACCEPTED:
            return Outcome(prepared, State.ACCEPTED, at, reached, tls, reply, body_hash=body_hash)
        case Fate.UNPROTECTED if not prepared.is_letter:
            return Outcome(prepared, State.GAVE_UP, at, reason=wire.reason, tls=tls)
        case Fate.UNPROTECTED:
            return Outcome(prepared, State.PORTAL, at, Protection.PORTAL, tls, reason=wire.reason)
        case Fate.PERMANENT:
            return Outcome(prepared, State.BOUNCED, at, None, tls, reply, wire.reason, kind)
        case Fate.UNCERTAIN:
            return deferred(
                prepared,
                at=at,
                jitter=jitter,
                tls=tls,
                reached=reached,
                reason=wire.reason,
                uncertain=True,
                body_hash=body_hash,
            )
        case _:
            return deferred(
                prepared, at=at, jitter=jitter, tls=tls, reply=reply, reason=wire.reason, kind=kind
            )
