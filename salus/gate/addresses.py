"""Which one address a message to a person may use: theirs, the confidential one, or the representative's."""

from __future__ import annotations

from collections.abc import Sequence

from salus.contacts.contracts import Address
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel
from salus.permissions.contracts import Standing


def choose(found: Sequence[Address], standing: Standing, channel: Channel, *, minor: bool) -> Address | None:
    """Return the one address to use on `channel`, or None.

    It is never the second best: a bounced first address is not replaced by another one here, because
    whether the other may be used is for a person to say. The portal needs no address.
    """
    if channel is Channel.PORTAL:
        return None
    own = [address for address in found if address.channel is channel]
    asked = standing.confidential_address
    if asked is not None:
        if asked.channel is not channel or asked.value is None:
            return None
        return _named(asked.value, own, channel, f"confidential:{asked.evidence_id}")
    who = standing.representative
    if minor and who is not None:
        if who.channel is not channel:
            return None
        return _named(who.value, own, channel, f"representative:{who.evidence_id}")
    return own[0] if own else None


def _named(value: Phi[str], own: Sequence[Address], channel: Channel, evidence: str) -> Address:
    """Return the known address with this value, else one that the ledger's entry is the evidence for."""
    for address in own:
        if address.value == value:
            return address
    return Address(channel, value, AddressSource.CLINICAL_ENCOUNTER, evidence, None)


def source_of(address: Address | None, known: Sequence[Address]) -> AddressSource:
    """Return where the address came from; without one, where the person's first address came from."""
    if address is not None:
        return address.source
    return known[0].source if known else AddressSource.UNKNOWN
