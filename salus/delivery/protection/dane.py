"""DANE for SMTP (RFC 7672): TLSA records, and the TLS policies of a host and of a domain that follow from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509 import verification

from salus.delivery.protection.certificates import Certificate, public_key_of
from salus.delivery.protection.policy import Shortfall, TlsPolicy, Trust
from salus.kernel.vocabulary import Protection

TRUST_ANCHOR, END_ENTITY = 2, 3
_LENGTHS: Final = {1: 32, 2: 64}
_MOST_ISSUERS = 8


@dataclass(frozen=True, slots=True)
class Tlsa:
    """A TLSA record (RFC 6698, 2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def usable(self) -> bool:
        """Tell whether we can match it: usages 0 and 1 have no meaning for SMTP (RFC 7672, 3.1.3)."""
        known = self.usage in (TRUST_ANCHOR, END_ENTITY) and self.selector in (0, 1)
        return (
            known
            and self.matching in (0, 1, 2)
            and len(self.data) == _LENGTHS.get(self.matching, len(self.data) or 1)
        )

    def matches(self, der: bytes) -> bool:
        """Tell whether it is about this certificate. Raises `ValueError` for one that cannot be read."""
        selected = der
        if self.selector == 1:
            selected = public_key_of(x509.load_der_x509_certificate(der))
        if self.matching:
            selected = (hashlib.sha256 if self.matching == 1 else hashlib.sha512)(selected).digest()
        return selected == self.data


@dataclass(frozen=True, slots=True)
class Dane:
    """The policy of one mail host whose usable TLSA records were found with a secure chain: one must match.

    With usage 3 neither names nor dates count (3.1.1). With usage 2 the anchor is in the chain that the host
    shows, and must have issued a certificate that holds now for one of `names` (3.1.2, 3.2.2).
    """

    records: tuple[Tlsa, ...]
    names: tuple[str, ...] = ()

    source = "dane"
    reaches = Protection.VERIFIED

    @property
    def trust(self) -> Trust:
        """Take any certificate: the records judge it."""
        return Trust(chain=False, name=False)

    def allows_host(self, host: str) -> bool:
        """Go to the host: the records are its own."""
        return True

    def at_host(self, host: str) -> TlsPolicy:
        """Return this policy: it is of one host."""
        return self

    def judge(self, host: str, certificate: Certificate, at: datetime) -> Shortfall | None:
        """Return None when one record matches."""
        try:
            if any(each.usage == END_ENTITY and each.matches(certificate.der) for each in self.records):
                return None
            anchors = list(self._anchors(certificate))
            if anchors and any(_issued(certificate, anchors, name, at) for name in self.names):
                return None
        except ValueError:
            return Shortfall.UNTRUSTED
        return Shortfall.NO_TLSA_MATCH

    def _anchors(self, certificate: Certificate) -> Iterator[bytes]:
        """Yield the issuers in the shown chain that a record of usage 2 is about."""
        records = [each for each in self.records if each.usage == TRUST_ANCHOR]
        for der in certificate.issuers[:_MOST_ISSUERS]:
            if any(each.matches(der) for each in records):
                yield der


def _issued(certificate: Certificate, anchors: list[bytes], name: str, at: datetime) -> bool:
    issuers = [x509.load_der_x509_certificate(der) for der in certificate.issuers[:_MOST_ISSUERS]]
    store = verification.Store([x509.load_der_x509_certificate(der) for der in anchors])
    builder = verification.PolicyBuilder().store(store).time(at)
    builder = builder.extension_policies(ca_policy=_ISSUER, ee_policy=_HOLDER)
    try:
        builder.build_server_verifier(x509.DNSName(name)).verify(
            x509.load_der_x509_certificate(certificate.der), issuers
        )
    except verification.VerificationError:
        return False
    return True


def _is_authority(_: verification.Policy, __: x509.Certificate, basic: x509.BasicConstraints) -> None:
    if not basic.ca:
        raise ValueError("not an authority")


def _signs(_: verification.Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage and not usage.key_cert_sign:
        raise ValueError("does not sign certificates")


# What the browsers' authorities demand of each other beyond RFC 5280 does not bind an anchor of a domain's own.
_ANY = verification.Criticality.AGNOSTIC
_ISSUER = (
    verification.ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, _ANY, _is_authority)
    .may_be_present(x509.KeyUsage, _ANY, _signs)
)
_HOLDER = verification.ExtensionPolicy.permit_all().require_present(x509.SubjectAlternativeName, _ANY, None)


@dataclass(frozen=True, slots=True)
class PerHost:
    """A domain some of whose mail hosts have TLSA records: each host has its own policy.

    `hosts` has a policy for each host that DANE binds, None for one of which nobody knows now (2.1.2: such a
    host is not used); every other host has `otherwise`, which never stands in for what DANE refused (RFC 8461, 2).
    """

    hosts: tuple[tuple[str, Dane | None], ...]
    otherwise: TlsPolicy
    is_whole: bool
    """Every mail host that can be reached is in `hosts`."""

    source = "dane"

    @property
    def reaches(self) -> Protection:
        """Return what every host reaches: the message must do with whichever answers."""
        return Protection.VERIFIED if self.is_whole else self.otherwise.reaches

    @property
    def trust(self) -> Trust:
        """Return what holds for a host without records."""
        return self.otherwise.trust

    def allows_host(self, host: str) -> bool:
        """Ask the policy of the host."""
        found = self.at_host(host)
        return found is not None and found.allows_host(host)

    def at_host(self, host: str) -> TlsPolicy | None:
        """Return the policy of one host, None when nobody knows it now."""
        return dict(self.hosts).get(host, self.otherwise)

    def judge(self, host: str, certificate: Certificate, at: datetime) -> Shortfall | None:
        """Ask the policy of the host."""
        found = self.at_host(host)
        return found.judge(host, certificate, at) if found else Shortfall.UNTRUSTED
