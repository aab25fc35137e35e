"""From a prepared message to the signed bytes that go over the wire, without the database."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from salus.delivery import mime
from salus.delivery.addresses import Mailbox
from salus.delivery.links import Links
from salus.delivery.preparing import Prepared
from salus.delivery.protection.dkim import Signer
from salus.delivery.return_paths import local_part
from salus.gate.contracts import Element
from salus.identity.contracts import Organization
from salus.keys.contracts import Blinder

LOCAL_PART = "care"


@dataclass(frozen=True, slots=True)
class Built:
    """The bytes of a message, their hash for the receipt, and the address that bounces go to.

    `key` tells how they are encrypted to the reader, empty when they are not.
    """

    data: bytes = field(repr=False)
    body_hash: str
    return_path: str
    key: Mapping[str, str] = field(default_factory=dict)


class Builder:
    """Builds the messages of one organization; thread-safe, and a signature releases the GIL."""

    def __init__(self, organization: Organization, signer: Signer, blinder: Blinder) -> None:
        self._organization, self._signer, self._blinder = organization, signer, blinder
        self._domain = organization.sending_domain

    def build(self, prepared: Prepared, links: Links, date: datetime) -> Built:
        """Return the message as it is handed over; the same arguments give the same bytes."""
        return self._signed(self.write(prepared, links, date), prepared, date)

    def sign(self, data: bytes, prepared: Prepared) -> Built:
        """Return the bytes of a message, encrypted already, as they are handed over."""
        return self._signed(data, prepared, prepared.checked_at)

    def write(self, prepared: Prepared, links: Links, date: datetime) -> bytes:
        """Return the message before it is signed; the same arguments give the same bytes."""
        token = prepared.lease.message_id.hex
        letter = mime.Letter(
            date=date,
            message_id=f"{token}@{self._domain}",
            boundary=token,
            sender=Mailbox(f"{LOCAL_PART}@{self._domain}", self._organization.name),
            to=Mailbox(prepared.content.to),
            subject=prepared.parts.subject,
            text=prepared.parts.text,
            html=prepared.parts.html,
            language=prepared.language,
            unsubscribe=self._unsubscribe(prepared.content.decision, links),
            automatic=True,
        )
        return mime.build(letter)

    def _signed(self, message: bytes, prepared: Prepared, date: datetime) -> Built:
        data = self._signer.sign(message, date)
        comes_back_to = local_part(prepared.lease.message_id, self._blinder)
        return Built(data, hashlib.sha256(data).hexdigest(), f"{comes_back_to}@{self._domain}")

    def _unsubscribe(self, decision: Mapping[str, object], links: Links) -> mime.Unsubscribe | None:
        """Return the header that the gate asked for (RFC 2369), with one click where it did (RFC 8058)."""
        elements = decision["elements"]
        assert isinstance(elements, list | tuple)
        if Element.LIST_UNSUBSCRIBE not in elements:
            return None
        return mime.Unsubscribe(links.one_click, one_click=Element.LIST_UNSUBSCRIBE_POST in elements)
