"""A test message: by the way that all mail goes, with fixed words and no patient, so that somebody can see it arrive.

It is the one message without a cleared row: nothing in it is about anybody, and only who may change the
organization's settings sends it (docs/adr/0102).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.delivery import mime, process
from salus.delivery.addresses import Mailbox, split
from salus.delivery.building import LOCAL_PART
from salus.delivery.contracts import Trial
from salus.delivery.protection.dkim import Signer
from salus.delivery.return_paths import local_part
from salus.delivery.transports.courier import Courier, still_stands
from salus.delivery.transports.handover import Fate, HandOver, Outcome, Phase, Recheck, broken
from salus.identity import api as identity
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.time import Clock
from salus.kernel.vocabulary import Protection
from salus.keys import api as keys
from salus.platform.tenancy import acting_for, current_organization

PATIENCE = 60.0
"""Seconds after which somebody who waits is told that there was no answer."""
CONFIRMED = "confirmed"


def send(
    organization_id: UUID,
    address: Phi[str],
    word: str,
    *,
    laboratory_routes: Path | None,
    actor: Actor,
    clock: Clock,
) -> Trial:
    """Send the test message with `word` in it and return what became of it; it is recorded without the address.

    Call it outside `acting_for`: the network is not waited for in a transaction. Raises `BadInput` for an
    address, `OutOfScope` when the register does not allow the relay.
    """
    split(address.reveal(), place="test_to")
    with acting_for(organization_id):
        make = process.ways_out(laboratory_routes)(organization_id)
        item = _item(address, word, clock.now())
    outcome = asyncio.run(hand_over(make, item))
    accepted = outcome.fate is Fate.ACCEPTED
    tls = outcome.tls.as_dict() if outcome.tls else {}
    with acting_for(organization_id):
        audit.record(
            Action.ROUTE_TEST,
            actor=actor,
            object_kind="organization",
            object_id=organization_id,
            outcome="accepted" if accepted else "failed",
            reason="" if accepted else outcome.reason,
            details={"phase": str(outcome.phase), "tls": tls.get("version", "")},
        )
    return Trial(accepted, str(outcome.phase), outcome.reason, str(outcome.reply or ""), tls)


async def hand_over(make: Callable[[Recheck], Courier], item: HandOver) -> Outcome:
    """Hand over a message that has no row, and return what became of it after `PATIENCE` at the latest."""
    courier = make(still_stands)
    sending = asyncio.ensure_future(courier.send(item))
    done, _ = await asyncio.wait({sending}, timeout=PATIENCE)
    if not done:
        sending.cancel()
        return broken(Phase.CONNECT, "timeout")
    await courier.close()
    return sending.result()


def confirm(*, actor: Actor) -> None:
    """Record that somebody has seen the test message arrive."""
    audit.record(
        Action.ROUTE_TEST,
        actor=actor,
        object_kind="organization",
        object_id=current_organization(),
        outcome=CONFIRMED,
    )


def confirmed() -> datetime | None:
    """Return when somebody last said that a test message had arrived."""
    found = audit.entries(Filters(action=Action.ROUTE_TEST, outcome=CONFIRMED), limit=1)
    return found[0].at if found else None


def _item(address: Phi[str], word: str, at: datetime) -> HandOver:
    organization = identity.organization()
    domain = organization.sending_domain
    if not word.isalpha() or not word.isascii():
        raise BadInput("The word of a test message is made of letters.", place="word")
    message_id = new_id()
    letter = mime.Letter(
        date=at,
        message_id=f"{message_id.hex}@{domain}",
        boundary=message_id.hex,
        sender=Mailbox(f"{LOCAL_PART}@{domain}", organization.name),
        to=Mailbox(address.reveal()),
        subject="Test message from Salus",
        text=(
            f"This test message shows the way that mail of {organization.name} goes.\n\n"
            f"The word is: {word}\n\n"
            "Type it where you set Salus up. Nothing in here is about anybody.\n"
        ),
        language="en",
        automatic=True,
    )
    data = Signer(domain, keys.dkim_keys(domain)).sign(mime.build(letter), at)
    now = time.monotonic()
    return HandOver(
        message_id=message_id,
        envelope_from=f"{local_part(message_id, keys.blinder())}@{domain}",
        recipient=address,
        data=Phi(data),
        floor=Protection.NAMED,
        checked_at=now,
        lease_until=now + 3600.0,
    )
