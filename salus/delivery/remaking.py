"""Makes a message again from what was kept of it, and holds its bytes against the hash in its receipt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from salus.delivery import encrypting
from salus.delivery.building import Builder
from salus.delivery.models import MessageRow
from salus.delivery.preparing import make_again
from salus.delivery.protection.dkim import Signer
from salus.identity import api as identity
from salus.kernel.acting import Actor
from salus.kernel.errors import SalusError
from salus.keys import api as keys


def same_bytes(
    row: MessageRow, *, body_hash: str, key: Mapping[str, str], date: datetime, actor: Actor
) -> bool:
    """Return whether the message, made again now, has the bytes that were handed over.

    Of one that was encrypted (`key`): the bytes that its reader has after opening it, for no two encryptions
    are alike.

    False says only that today's renderer, keys or organization make other bytes: the receipt's hash
    stands, and whoever has the message can hold it against that.
    """
    organization = identity.organization()
    domain = organization.sending_domain
    try:
        prepared = make_again(row, actor=actor, at=date)
        builder = Builder(organization, Signer(domain, keys.dkim_keys(domain)), keys.blinder())
        if key:
            written = builder.write(prepared, prepared.links, date)
            return encrypting.payload_hash(written) == key["payload_hash"]
        built = builder.build(prepared, prepared.links, date)
    except SalusError:
        return False
    return built.body_hash == body_hash
