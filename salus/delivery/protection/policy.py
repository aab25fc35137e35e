"""What a mail host must prove before it gets a message: TLS policies as values, and why one was not met."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from salus.delivery.protection.certificates import Certificate, matches
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Protection


class Shortfall(StrEnum):
    """Why the floor of a message was not reached on the way to a host."""

    POLICY_TOO_LOW = "policy_too_low"
    """What we know of this destination can never reach the floor; no connection was tried."""
    NO_STARTTLS = "no_starttls"
    STARTTLS_REFUSED = "starttls_refused"
    INJECTED = "plaintext_after_starttls"
    """Words came in clear after the reply to STARTTLS: somebody sits in between."""
    HANDSHAKE_FAILED = "handshake_failed"
    TLS_TOO_OLD = "tls_too_old"
    WEAK_CIPHER = "weak_cipher"
    EXPIRED = "certificate_expired"
    WRONG_NAME = "certificate_wrong_name"
    UNTRUSTED = "certificate_untrusted"
    NOT_PINNED = "certificate_not_pinned"
    NO_TLSA_MATCH = "no_tlsa_match"
    """The domain says in DNS, signed, which certificates it uses (DANE), and this is none of them."""
    HOST_NOT_ALLOWED = "host_not_allowed"


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What a connection reached, for the receipt: no word of it is about a person."""

    level: Protection
    host: str
    version: str
    cipher: str
    peer: str
    """How the peer was verified: "webpki", "partner", "mta-sts", "dane"."""
    fingerprint: str
    """SHA-256 of the certificate, in hexadecimal."""

    def as_dict(self) -> dict[str, str]:
        """Return the facts as a receipt keeps them."""
        return {
            "version": self.version,
            "cipher": self.cipher,
            "host": self.host,
            "peer": self.peer,
            "fingerprint": self.fingerprint,
        }


@dataclass(frozen=True, slots=True)
class Unprotected:
    """The floor was not reached: nothing was sent, and the row belongs in the portal.

    `reached` holds the facts of a connection that was made but is less than the floor asks.
    """

    reason: Shortfall
    reached: TlsFacts | None = None


@dataclass(frozen=True, slots=True)
class Trust:
    """How the TLS library is to verify a peer, before the policy itself judges.

    `authorities` is PEM text; empty means the machine's own store. Without `chain` the library
    accepts any certificate, so the policy must judge it by pins alone.
    """

    chain: bool = True
    name: bool = True
    authorities: str = ""


class TlsPolicy(Protocol):
    """A destination's TLS policy; a hashable value, because connections are pooled by it.

    For MTA-STS `allows_host` carries the `mx` patterns of RFC 8461, for DANE `judge` the TLSA match of RFC 7672.
    """

    @property
    def source(self) -> str:
        """Return the word for receipts: how a peer that passes was verified."""
        ...

    @property
    def reaches(self) -> Protection:
        """Return the level of a connection that passes."""
        ...

    @property
    def trust(self) -> Trust:
        """Return what the TLS library must verify."""
        ...

    def allows_host(self, host: str) -> bool:
        """Tell whether mail may go to this mail host at all."""
        ...

    def at_host(self, host: str) -> TlsPolicy | None:
        """Return the policy to use with one mail host; None when nobody knows it now, and the host is not used."""
        ...

    def judge(self, host: str, certificate: Certificate, at: datetime) -> Shortfall | None:
        """Return why this certificate does not do for `host`, or None when it does."""
        ...


@dataclass(frozen=True, slots=True)
class Named:
    """The mail host's own WebPKI certificate, for the name that (unsigned) DNS gave: level NAMED.

    `authorities` replaces the machine's trust store, for a laboratory.
    """

    authorities: str = ""

    source = "webpki"
    reaches = Protection.NAMED

    @property
    def trust(self) -> Trust:
        """Verify chain and name."""
        return Trust(authorities=self.authorities)

    def allows_host(self, host: str) -> bool:
        """Any host may be asked; it must prove its own name."""
        return True

    def at_host(self, host: str) -> TlsPolicy:
        """Return this policy: it is the same for every host."""
        return self

    def judge(self, host: str, certificate: Certificate, at: datetime) -> Shortfall | None:
        """Leave it to the TLS library, which verified chain, dates and name."""
        return None


@dataclass(frozen=True, slots=True)
class Partner:
    """A policy agreed with a partner and pinned by hand: level VERIFIED, whatever DNS says.

    At least one of: `names` that the certificate must be valid for (patterns like "*.example.org"),
    `authorities` (PEM) that must have issued it, SHA-256 pins (hex) of the certificate or of its
    public key. What is given must hold together; one matching pin is enough. `hosts` limits the mail
    hosts. With pins alone the chain does not matter (a self-signed certificate is fine); its dates do.
    """

    names: tuple[str, ...] = ()
    authorities: str = ""
    certificate_pins: tuple[str, ...] = ()
    key_pins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    source = "partner"
    reaches = Protection.VERIFIED

    def __post_init__(self) -> None:
        if not (self.names or self.authorities or self.certificate_pins or self.key_pins):
            raise BadInput("A partner policy must pin something.", place="partner")
        for pin in (*self.certificate_pins, *self.key_pins):
            if len(pin) != 64 or set(pin) - set("0123456789abcdef"):
                raise BadInput("A pin is a SHA-256 in 64 lower-case hexadecimal digits.", place="partner")

    @property
    def trust(self) -> Trust:
        """Verify the chain unless pins stand alone; compare names ourselves, there may be several."""
        pinned_alone = not self.names and not self.authorities
        return Trust(chain=not pinned_alone, name=False, authorities=self.authorities)

    def allows_host(self, host: str) -> bool:
        """Tell whether `host` is one of the partner's."""
        return not self.hosts or any(matches(pattern, host) for pattern in self.hosts)

    def at_host(self, host: str) -> TlsPolicy:
        """Return this policy: it is the same for every host."""
        return self

    def judge(self, host: str, certificate: Certificate, at: datetime) -> Shortfall | None:
        """Return the first of dates, name and pins that does not hold."""
        if not certificate.not_before <= at <= certificate.not_after:
            return Shortfall.EXPIRED
        wanted = self.names or ((host,) if self.authorities else ())
        if wanted and not any(_same(name, held) for name in wanted for held in certificate.names):
            return Shortfall.WRONG_NAME
        pins = (*self.certificate_pins, *self.key_pins)
        held = (
            certificate.fingerprint in self.certificate_pins or certificate.key_fingerprint in self.key_pins
        )
        return Shortfall.NOT_PINNED if pins and not held else None


def _same(wanted: str, held: str) -> bool:
    """Tell whether a name of the policy and one of the certificate cover each other; either may be a pattern."""
    return matches(held, wanted) or matches(wanted, held)
