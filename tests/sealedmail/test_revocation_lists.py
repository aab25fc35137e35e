"""Lists by which authorities take certificates back: only theirs count, and only for what they issued."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.sealedmail import api
from salus.sealedmail.contracts import Revocation, Standing
from salus.sealedmail.formats import revocations
from tests.sealedmail.holders import MailAuthority
from tests.sealedmail.people import ANA, NOW, admit, written_to


def test_who_stands_on_the_authority_s_list_is_written_to_no_more(
    actor: Actor, ana: UUID, authority: MailAuthority
) -> None:
    held, other = authority.issue(ANA), authority.issue("bo@mill.example.test")
    bo = admit(actor, "bo@mill.example.test")
    api.trust(authority.pem, actor=actor, at=NOW)
    first = api.add_key(ana, held.certificate, actor=actor, at=NOW)
    second = api.add_key(bo, other.certificate, actor=actor, at=NOW)
    assert api.revoke_by_list(authority.revoking(), actor=actor, at=NOW) == 0
    assert api.revoke_by_list(authority.revoking(held), actor=actor, at=NOW) == 1
    assert (api.key(first, NOW).standing, api.key(first, NOW).why) == (
        Standing.REVOKED,
        Revocation.BY_AUTHORITY,
    )
    assert written_to(ana) is None
    assert api.key(second, NOW).standing is Standing.IN_USE
    assert api.revoke_by_list(authority.revoking(held), actor=actor, at=NOW) == 0, "it has ended already"
    with pytest.raises(BadInput, match="took this certificate back"):
        api.add_key(ana, held.certificate, actor=actor, at=NOW)
    renewed = api.add_key(ana, authority.issue(ANA).certificate, actor=actor, at=NOW)
    assert written_to(ana) == renewed
    said = audit.entries(Filters(action=Action.SEALED_KEY_REVOKE, object_id=first))
    assert [each.outcome for each in said] == ["by_authority"]


def test_a_list_that_nobody_of_ours_signed_is_refused(
    actor: Actor, ana: UUID, authority: MailAuthority
) -> None:
    held = authority.issue(ANA)
    impostor = MailAuthority()  # of the same name
    with pytest.raises(BadInput, match="signed this list"):
        api.revoke_by_list(authority.revoking(held), actor=actor, at=NOW)
    api.trust(authority.pem, actor=actor, at=NOW)
    key = api.add_key(ana, held.certificate, actor=actor, at=NOW)
    for forged in (impostor.revoking(held), MailAuthority("Another CA").revoking(held)):
        with pytest.raises(BadInput, match="signed this list"):
            api.revoke_by_list(forged, actor=actor, at=NOW)
    assert api.key(key, NOW).standing is Standing.IN_USE


def test_an_authority_takes_back_only_what_it_issued(
    actor: Actor, ana: UUID, authority: MailAuthority
) -> None:
    held = authority.issue(ANA)
    namesake = MailAuthority()
    api.trust(authority.pem, actor=actor, at=NOW)
    api.trust(namesake.pem, actor=actor, at=NOW)
    key = api.add_key(ana, held.certificate, actor=actor, at=NOW)
    assert api.revoke_by_list(namesake.revoking(held), actor=actor, at=NOW) == 0
    assert api.key(key, NOW).standing is Standing.IN_USE


def test_the_list_of_an_authority_that_only_came_with_a_certificate_counts_too(
    actor: Actor, ana: UUID, authority: MailAuthority
) -> None:
    held = authority.issue(ANA)
    fingerprint = held.parsed.fingerprint(SHA256()).hex()
    key = api.add_key(ana, held.certificate + authority.pem, fingerprint=fingerprint, actor=actor, at=NOW)
    der = x509.load_pem_x509_crl(authority.revoking(held)).public_bytes(Encoding.DER)
    assert api.revoke_by_list(der, actor=actor, at=NOW) == 1
    assert api.key(key, NOW).why is Revocation.BY_AUTHORITY


def test_what_a_list_of_changes_puts_back_in_force_stays(
    actor: Actor, ana: UUID, authority: MailAuthority
) -> None:
    held = authority.issue(ANA)
    api.trust(authority.pem, actor=actor, at=NOW)
    api.add_key(ana, held.certificate, actor=actor, at=NOW)
    back = authority.revoking(held, reason=x509.ReasonFlags.remove_from_crl)
    assert api.revoke_by_list(back, actor=actor, at=NOW) == 0


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no revocation list"),
        (b"hello", "no revocation list"),
        (b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "no revocation list"),
        (b"-----BEGIN CERTIFICATE-----\n", "no revocation list"),
        (b"\x30\x84\xff\xff\xff\xff", "no revocation list"),
        (b"0" * (revocations.MOST_OCTETS + 1), "larger"),
    ],
)
def test_what_is_no_list_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadInput, match=reason) as refused:
        revocations.read(data, NOW)
    assert refused.value.place == "list"


def test_a_list_of_the_future_and_one_of_several_authorities_are_refused(authority: MailAuthority) -> None:
    with pytest.raises(BadInput, match="future"):
        revocations.read(authority.revoking(at=datetime.now(UTC) + timedelta(days=1)), NOW)
    point = x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier("https://ca.example/list")],
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=True,
        only_contains_attribute_certs=False,
    )
    with pytest.raises(BadInput, match="of this kind"):
        revocations.read(authority.revoking(extension=point), NOW)
