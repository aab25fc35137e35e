"""Policies: which certificate does for which host, and what the TLS library is told."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from salus.delivery.laboratory import Authority, read_certificate
from salus.delivery.protection import tls
from salus.delivery.protection.certificates import Certificate, matches
from salus.delivery.protection.policy import Named, Partner, Shortfall, Trust
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Protection

NOW = datetime(2026, 3, 1, tzinfo=UTC)
AUTHORITY = Authority(NOW)
HOST = "mx.partner.example"
GOOD = read_certificate(AUTHORITY.issue([HOST, "*.mail.example"]).der)
EXPIRED = read_certificate(AUTHORITY.issue([HOST], expired=True).der)
OTHER = read_certificate(AUTHORITY.issue(["mx.other.example"]).der)


@pytest.mark.parametrize(
    ("pattern", "host", "covers"),
    [
        ("mx.example.org", "mx.example.org", True),
        ("MX.example.org.", "mx.EXAMPLE.org", True),
        ("*.example.org", "mx.example.org", True),
        ("*.example.org", "example.org", False),
        ("*.example.org", "a.mx.example.org", False),
        ("*.org", "example.org", False),
        ("mx*.example.org", "mx1.example.org", False),
        ("*.example.org", ".example.org", False),
        ("", "", False),
    ],
)
def test_a_pattern_covers_exactly_one_label(pattern: str, host: str, covers: bool) -> None:
    assert matches(pattern, host) is covers


def test_a_common_name_is_no_name() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    der = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, SHA256())
        .public_bytes(Encoding.DER)
    )
    assert read_certificate(der).names == ()


def test_the_policy_for_everybody_leaves_chain_and_name_to_the_library() -> None:
    policy = Named(AUTHORITY.pem)
    context = tls.client_context(policy.trust)
    assert policy.reaches is Protection.NAMED
    assert policy.judge(HOST, GOOD, NOW) is None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_every_suite_that_is_offered_is_ephemeral_and_authenticated() -> None:
    offered = tls.client_context(Named().trust).get_ciphers()
    assert offered
    for suite in offered:
        assert suite["aead"], suite["name"]
        assert suite["name"].startswith(("TLS_", "ECDHE-")), suite["name"]


@pytest.mark.parametrize(
    ("policy", "certificate", "shortfall"),
    [
        (Partner(names=(HOST,)), GOOD, None),
        (Partner(names=("mx1.mail.example",)), GOOD, None),
        (Partner(names=("*.partner.example",)), GOOD, None),
        (Partner(names=(HOST,)), OTHER, Shortfall.WRONG_NAME),
        (Partner(names=(HOST,)), EXPIRED, Shortfall.EXPIRED),
        (Partner(authorities="pem"), GOOD, None),
        (Partner(authorities="pem"), OTHER, Shortfall.WRONG_NAME),
        (Partner(key_pins=(GOOD.key_fingerprint,)), GOOD, None),
        (Partner(key_pins=(GOOD.key_fingerprint,)), OTHER, Shortfall.NOT_PINNED),
        (Partner(certificate_pins=(OTHER.fingerprint, GOOD.fingerprint)), GOOD, None),
        (Partner(key_pins=(EXPIRED.key_fingerprint,)), EXPIRED, Shortfall.EXPIRED),
        (Partner(names=(HOST,), key_pins=(OTHER.key_fingerprint,)), GOOD, Shortfall.NOT_PINNED),
        (Partner(names=(HOST,), key_pins=(OTHER.key_fingerprint,)), OTHER, Shortfall.WRONG_NAME),
    ],
)
def test_a_partner_is_held_to_all_that_was_agreed(
    policy: Partner, certificate: Certificate, shortfall: Shortfall | None
) -> None:
    assert policy.reaches is Protection.VERIFIED
    assert policy.judge(HOST, certificate, NOW) is shortfall


def test_pins_alone_do_without_a_chain_and_names_do_not() -> None:
    assert Partner(key_pins=("0" * 64,)).trust == Trust(chain=False, name=False)
    assert Partner(names=(HOST,)).trust.chain
    assert Partner(names=(HOST,), key_pins=("0" * 64,)).trust.chain


def test_a_partner_may_name_its_mail_hosts() -> None:
    policy = Partner(names=(HOST,), hosts=("*.partner.example",))
    assert policy.allows_host(HOST)
    assert not policy.allows_host("mx.evil.example")


@pytest.mark.parametrize(
    "make", [lambda: Partner(), lambda: Partner(key_pins=("abc",)), lambda: Partner(hosts=("x",))]
)
def test_a_policy_that_pins_nothing_is_no_policy(make: object) -> None:
    with pytest.raises(BadInput):
        make()  # type: ignore[operator]


def test_authorities_that_are_no_certificates_are_refused() -> None:
    with pytest.raises(BadInput):
        tls.client_context(Trust(authorities="not PEM"))
