"""Copies of the log for those outside who keep them: its newest signed root to a witness by mail, its lines to a log server.

Neither can say anything else: the words of the mail are fixed, and what is signed is read here, not given.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Checkpoint
from salus.delivery import mime, process, trial
from salus.delivery.addresses import Mailbox
from salus.delivery.building import LOCAL_PART
from salus.delivery.contracts import Trial
from salus.delivery.protection.dkim import Signer
from salus.delivery.transports import syslog
from salus.delivery.transports.handover import Fate, HandOver
from salus.identity import api as identity
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.ids import new_id
from salus.kernel.outbound import ServiceKind
from salus.kernel.phi import Phi
from salus.kernel.time import Clock
from salus.kernel.vocabulary import Protection
from salus.keys import api as keys
from salus.platform import outbound
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors

MAILTO = "mailto:"


def send_checkpoint(
    organization_id: UUID, service_id: UUID, *, laboratory_routes: Path | None, clock: Clock
) -> tuple[int, Trial]:
    """Sign the log as it stands and send that to a witness of the register; return how many entries it covers, and what became of it.

    It goes over TLS to the host's own name or not at all. Raises `NotFound`, `OutOfScope`, `BadInput` for a
    service that is no mailbox of a witness, `Conflict` when nothing can be signed and nothing was.
    """
    with acting_for(organization_id):
        mailbox = _allowed(service_id, ServiceKind.WITNESS, clock.now()).removeprefix(MAILTO)
        signed = audit.newest_checkpoint(clock)
        if signed is None:
            raise Conflict("Nothing can be signed.", next_step="Run: salus audit verify.")
        make = process.ways_out(laboratory_routes)(organization_id)
        item = _item(mailbox, signed, clock.now())
    outcome = asyncio.run(trial.hand_over(make, item))
    accepted = outcome.fate is Fate.ACCEPTED
    tls = outcome.tls.as_dict() if outcome.tls else {}
    return signed.size, Trial(
        accepted, str(outcome.phase), outcome.reason or str(outcome.fate), str(outcome.reply or ""), tls
    )


def send_log(organization_id: UUID, service_id: UUID, messages: Sequence[str], *, clock: Clock) -> str:
    """Send messages of RFC 5424 to a log server of the register; return "", or a word for why they may not be there.

    Raises `NotFound`, `OutOfScope` before anything is opened, `BadInput` for a service that is no log server.
    """
    with acting_for(organization_id):
        address = _allowed(service_id, ServiceKind.SYSLOG, clock.now())
    try:
        syslog.send(address, messages, clock.now())
    except syslog.NotTaken as fault:
        return str(fault)
    return ""


def _allowed(service_id: UUID, kind: ServiceKind, at: datetime) -> str:
    """Return the address of a service that may be told now."""
    service = vendors.service(service_id, at)
    if service.kind is not kind or (kind is ServiceKind.WITNESS and not service.address.startswith(MAILTO)):
        raise BadInput("This service keeps no copy of the log that Salus sends.", place="service")
    outbound.ask(kind, service.address, at=at)
    return service.address


def _item(mailbox: str, signed: Checkpoint, at: datetime) -> HandOver:
    organization = identity.organization()
    domain = organization.sending_domain
    sender, message_id = f"{LOCAL_PART}@{domain}", new_id()
    letter = mime.Letter(
        date=at,
        message_id=f"{message_id.hex}@{domain}",
        boundary=message_id.hex,
        sender=Mailbox(sender, organization.name),
        to=Mailbox(mailbox),
        subject=f"Checkpoint of the log: {signed.size} entries",
        text=_words(organization.name, signed),
        language="en",
        automatic=True,
    )
    data = Signer(domain, keys.dkim_keys(domain)).sign(mime.build(letter), at)
    now = time.monotonic()
    return HandOver(
        message_id=message_id,
        envelope_from=sender,
        recipient=Phi(mailbox),
        data=Phi(data),
        floor=Protection.NAMED,
        checked_at=now,
        lease_until=now + 3600.0,
    )


def _words(name: str, signed: Checkpoint) -> str:
    return (
        f"On {signed.at:%Y-%m-%d} at {signed.at:%H:%M} UTC {name} signed its audit log of "
        f"{signed.size} entries:\n\n"
        f"{signed.note}\n"
        "Please keep this message. Whoever changes one of these entries afterwards cannot make the log fit it.\n\n"
        "To hold the log against it, copy the lines from the name of the log through the line that begins with a "
        "dash into a file, and run there: salus audit verify --checkpoint FILE\n\n"
        f"The public key that signed it: {audit.verifier_key(signed.note)}\n\n"
        "Nothing in here is about anybody.\n"
    )
