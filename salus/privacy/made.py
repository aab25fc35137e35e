"""What Salus itself told about a person, and to whom: messages from their receipts, calls from the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action, Entry, Filters
from salus.contacts import api as contacts
from salus.delivery import api as delivery
from salus.delivery.contracts import SentMessage, State
from salus.kernel.phi import Phi
from salus.privacy.contracts import Sent, To
from salus.vendors import api as vendors
from salus.vendors.contracts import Service

MOST = 100_000
_NEVER_ARRIVED = frozenset({State.BOUNCED, State.GAVE_UP})
_UNKNOWN = "A service that is not in the register any more"


def made_by_salus(contact_id: UUID, at: datetime) -> Iterator[Sent]:
    """Yield each message and call about a person, in no order; one that may not have arrived is told as unsure."""
    yield from map(_message, delivery.messages_of_contact(contact_id, MOST))
    services = {each.id: each for each in vendors.services(at)}
    for id in contacts.whole(contact_id):
        for entry in _calls(id):
            yield _call(entry, services)


def _message(message: SentMessage) -> Sent:
    return Sent(
        message.message_id,
        message.at,
        To.REPRESENTATIVE if message.to_representative else To.PERSON,
        Phi("The personal representative"),
        "",
        message.disclosed,
        message.purpose.value,
        sure=message.state not in _NEVER_ARRIVED,
    )


def _calls(contact_id: UUID) -> Iterator[Entry]:
    """Yield how calls about a person ended that were tried at least once: a vendor may have read those too."""
    wanted, after = Filters(str(Action.CALL_RECORD), patient_id=contact_id, object_kind="call"), None
    while page := audit.entries(wanted, after=after, limit=1000):
        yield from (each for each in page if each.outcome == "ok" or each.details.get("attempts"))
        after = page[-1].id


def _call(entry: Entry, services: Mapping[UUID, Service]) -> Sent:
    service = services.get(UUID(str(entry.details["service"])))
    return Sent(
        entry.object_id or entry.id,
        entry.at,
        To.VENDOR,
        service.name if service else Phi(_UNKNOWN),
        service.address if service else "",
        entry.fields,
        entry.purpose,
        sure=entry.outcome == "ok",
    )
