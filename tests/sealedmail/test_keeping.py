"""Keys on file: who vouches, whose they are, when they end, and what is left of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.db import connection

from salus.audit import api as audit
from salus.audit.contracts import Filters
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.joining import Pair
from salus.sealedmail import api
from salus.sealedmail.contracts import Choices, KeyKind, Revocation, Standing, Use, Vouched
from tests.sealedmail.holders import Gpg, MailAuthority
from tests.sealedmail.people import ANA, NOW, admit, written_to


def test_an_authority_that_is_trusted_vouches(actor: Actor, ana: UUID, authority: MailAuthority) -> None:
    held = authority.issue(ANA)
    with pytest.raises(BadInput, match="No authority that you trust"):
        api.add_key(ana, held.certificate, actor=actor, at=NOW)
    anchor = api.trust(authority.pem, actor=actor, at=NOW)
    key = api.add_key(ana, held.certificate, actor=actor, at=NOW)
    assert api.key(key, NOW).vouched is Vouched.AUTHORITY
    assert written_to(ana) == key
    assert api.distrust(anchor, actor=actor, at=NOW) == 1
    assert api.key(key, NOW).why is Revocation.UNTRUSTED
    assert written_to(ana) is None


def test_a_fingerprint_that_was_heard_vouches_and_another_does_not(actor: Actor, ana: UUID, gpg: Gpg) -> None:
    fingerprint = gpg.make(f"Ana <{ANA}>")
    with pytest.raises(BadInput, match="another fingerprint"):
        api.add_key(ana, gpg.public(fingerprint), fingerprint="ab" * 20, actor=actor, at=datetime.now(UTC))
    with pytest.raises(BadInput, match="hexadecimal"):
        api.add_key(ana, gpg.public(fingerprint), fingerprint="hello", actor=actor, at=datetime.now(UTC))
    spaced = " ".join(fingerprint[i : i + 4] for i in range(0, 40, 4))
    key = api.add_key(ana, gpg.public(fingerprint), fingerprint=spaced, actor=actor, at=datetime.now(UTC))
    found = api.key(key, datetime.now(UTC))
    assert found.vouched is Vouched.FINGERPRINT
    assert found.fingerprint.reveal() == fingerprint.lower()
    with pytest.raises(Conflict, match="already"):
        api.add_key(ana, gpg.public(fingerprint), fingerprint=spaced, actor=actor, at=datetime.now(UTC))
    api.revoke_by_holder(key, gpg.revocation(fingerprint), actor=actor, at=datetime.now(UTC))
    assert api.key(key, datetime.now(UTC)).why is Revocation.BY_HOLDER
    assert written_to(ana, at=datetime.now(UTC)) is None


def test_a_key_must_carry_an_address_of_the_person_and_counts_for_that_one_only(
    actor: Actor, ana: UUID, authority: MailAuthority
) -> None:
    api.trust(authority.pem, actor=actor, at=NOW)
    with pytest.raises(BadInput, match="none of this person's addresses"):
        api.add_key(ana, authority.issue("bo@lakepost.example.test").certificate, actor=actor, at=NOW)
    key = api.add_key(ana, authority.issue(ANA.upper()).certificate, actor=actor, at=NOW)
    assert written_to(ana) == key
    assert written_to(ana, "ana.work@mill.example.test") is None
    assert written_to(ana, "guardian@mill.example.test") is None
    assert written_to(new_id()) is None
    with pytest.raises(NotFound):
        api.add_key(new_id(), authority.issue(ANA).certificate, actor=actor, at=NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lasts": timedelta(hours=2)},
        {"purposes": (ExtendedKeyUsageOID.SERVER_AUTH,)},
        {"digital_signature": True},
    ],
    ids=["ended", "for web servers", "for signatures"],
)
def test_certificates_that_are_not_for_this_are_refused(
    wrong: dict[str, object], actor: Actor, ana: UUID, authority: MailAuthority
) -> None:
    api.trust(authority.pem, actor=actor, at=NOW)
    with pytest.raises(BadInput):
        api.add_key(ana, authority.issue(ANA, **wrong).certificate, actor=actor, at=NOW)  # type: ignore[arg-type]


def test_what_is_no_certificate_is_refused(actor: Actor, ana: UUID, authority: MailAuthority) -> None:
    small = authority.issue(ANA, rsa.generate_private_key(65537, 1024))
    for data in (
        b"",
        b"\x30\x82",
        small.certificate,
        authority.pem,
        b"-----BEGIN CERTIFICATE-----\nAAAA",
        b"0" * 99_999,
    ):
        with pytest.raises(BadInput):
            api.add_key(ana, data, fingerprint="ab" * 32, actor=actor, at=NOW)


def test_a_newer_key_takes_the_place_of_the_one_before(
    actor: Actor, ana: UUID, authority: MailAuthority
) -> None:
    api.trust(authority.pem, actor=actor, at=NOW)
    first = api.add_key(ana, authority.issue(ANA).certificate, actor=actor, at=NOW)
    second = api.add_key(ana, authority.issue(ANA).certificate, actor=actor, at=NOW + timedelta(seconds=1))
    assert [each.standing for each in api.keys_of(ana, NOW + timedelta(seconds=2))] == [
        Standing.IN_USE,
        Standing.REPLACED,
    ]
    assert written_to(ana, at=NOW + timedelta(seconds=2)) == second != first


def test_a_key_that_ends_is_told_of_before_and_not_written_to_after(
    actor: Actor, ana: UUID, authority: MailAuthority
) -> None:
    api.trust(authority.pem, actor=actor, at=NOW)
    key = api.add_key(ana, authority.issue(ANA, lasts=timedelta(days=60)).certificate, actor=actor, at=NOW)
    assert api.endings(NOW) == []
    (ending,) = api.endings(NOW + timedelta(days=40))
    assert (ending.key_id, ending.contact_id, ending.own) == (key, ana, False)
    later = NOW + timedelta(days=60)
    assert written_to(ana, at=later) is None
    assert api.key(key, later).standing is Standing.EXPIRED
    assert api.still_in_use([key], later) == set()


def test_revoking_is_at_once_and_once(actor: Actor, ana: UUID, authority: MailAuthority) -> None:
    api.trust(authority.pem, actor=actor, at=NOW)
    key = api.add_key(ana, authority.issue(ANA).certificate, actor=actor, at=NOW)
    assert api.still_in_use([key], NOW) == {key}
    api.revoke(key, Revocation.COMPROMISED, actor=actor, at=NOW)
    assert api.still_in_use([key], NOW) == set()
    with pytest.raises(Conflict):
        api.revoke(key, Revocation.LOST, actor=actor, at=NOW)
    with pytest.raises(NotFound):
        api.revoke(new_id(), Revocation.LOST, actor=actor, at=NOW)
    with pytest.raises(Conflict):
        api.revoke_by_holder(key, b"x", actor=actor, at=NOW)


def test_a_domains_key_serves_everybody_there_who_has_none(
    actor: Actor, ana: UUID, authority: MailAuthority
) -> None:
    api.trust(authority.pem, actor=actor, at=NOW)
    gateway = authority.issue("gateway@lakepost.example.test").certificate
    with pytest.raises(BadInput, match="no address of this domain"):
        api.add_domain_key("mill.example.test", gateway, actor=actor, at=NOW)
    with pytest.raises(BadInput):
        api.add_domain_key("no domain", gateway, actor=actor, at=NOW)
    domains = api.add_domain_key("Lakepost.example.test", gateway, actor=actor, at=NOW)
    bo = admit(actor, "bo@lakepost.example.test")
    assert written_to(bo, "bo@lakepost.example.test") == domains
    assert written_to(ana, "ana.work@mill.example.test") is None
    mine = api.add_key(ana, authority.issue(ANA).certificate, actor=actor, at=NOW)
    assert written_to(ana) == mine
    assert [each.domain.reveal() for each in api.keys_of_domains(NOW)] == ["lakepost.example.test"]


def test_every_act_is_recorded_and_nothing_in_clear_says_whose_key_it_is(
    actor: Actor, ana: UUID, authority: MailAuthority
) -> None:
    api.trust(authority.pem, actor=actor, at=NOW)
    held = authority.issue(ANA)
    key = api.add_key(ana, held.certificate, actor=actor, at=NOW)
    fingerprint = api.key(key, NOW).fingerprint.reveal()
    api.revoke(key, Revocation.LOST, actor=actor, at=NOW)
    acts = [each.action for each in audit.entries(Filters(action="sealedmail:"))]
    assert sorted(acts) == ["sealedmail:anchor:change", "sealedmail:key:add", "sealedmail:key:revoke"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM sealedmail_key")
        stored = repr([tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in cursor])
        cursor.execute("SELECT * FROM audit_entry")
        stored += repr(cursor.fetchall())
    assert "ana@" not in stored
    assert fingerprint not in stored


def test_a_person_is_exported_and_erased_with_their_keys(
    actor: Actor, ana: UUID, authority: MailAuthority
) -> None:
    api.trust(authority.pem, actor=actor, at=NOW)
    api.add_key(ana, authority.issue(ANA).certificate, actor=actor, at=NOW)
    exported = api.export_person(ana, NOW)["keys"]
    assert [each["address"] for each in exported] == [ANA]  # type: ignore[attr-defined]
    assert api.erase_person(ana).erased == {"keys": 1, "lookups": 0}
    assert api.keys_of(ana, NOW) == []
    assert api.erase_person(ana).erased == {"keys": 0, "lookups": 0}


def test_keys_follow_a_merge_and_come_back_by_a_split(
    actor: Actor, ana: UUID, authority: MailAuthority
) -> None:
    other = admit(actor, "ana.old@lakepost.example.test")
    api.trust(authority.pem, actor=actor, at=NOW)
    held = authority.issue("ana.old@lakepost.example.test")
    key = api.add_key(other, held.certificate, actor=actor, at=NOW)
    pair = Pair(new_id(), ana, 1, other, 2, NOW)
    moved = api.join_person(pair)
    assert [each.id for each in api.keys_of(ana, NOW)] == [key]
    assert written_to(ana, "ana.old@lakepost.example.test") == key
    api.part_person(pair, moved)
    assert api.keys_of(ana, NOW) == []
    assert [each.id for each in api.keys_of(other, NOW)] == [key]


def test_what_the_organization_signs_with(actor: Actor, authority: MailAuthority) -> None:
    sender = "care@mail.cedar-row.example.org"
    assert api.own() == []
    api.make_certificate(actor=actor, at=NOW)
    assert [(each.kind, each.self_signed, each.address) for each in api.own()] == [
        (KeyKind.SMIME, True, sender)
    ]
    bought = authority.issue(sender)
    with pytest.raises(BadInput, match="password"):
        api.set_certificate(bought.p12, "wrong", actor=actor, at=NOW)
    with pytest.raises(BadInput, match="address at"):
        api.set_certificate(authority.issue(ANA).p12, "kiosk-lantern", actor=actor, at=NOW)
    with pytest.raises(BadInput, match="not the certificate's"):
        api.set_certificate(bought.certificate + authority.issue(sender).key, "", actor=actor, at=NOW)
    with pytest.raises(BadInput, match="no certificate with its key"):
        api.set_certificate(bought.certificate, "", actor=actor, at=NOW)
    api.set_certificate(bought.p12, "kiosk-lantern", actor=actor, at=NOW)
    api.set_certificate(bought.certificate + bought.key, "", actor=actor, at=NOW)
    api.make_openpgp(actor=actor, at=datetime.now(UTC))
    smime, openpgp = sorted(api.own(), key=lambda each: each.kind, reverse=True)
    assert smime.self_signed is False
    assert "PRIVATE" not in smime.public + openpgp.public
    (ending,) = api.endings(NOW + timedelta(days=350))
    assert ending.own
    api.drop_own(KeyKind.SMIME, actor=actor)
    with pytest.raises(NotFound):
        api.drop_own(KeyKind.SMIME, actor=actor)


def test_always_is_a_choice(actor: Actor, ana: UUID, authority: MailAuthority) -> None:
    api.trust(authority.pem, actor=actor, at=NOW)
    api.add_key(ana, authority.issue(ANA).certificate, actor=actor, at=NOW)
    message = new_id()
    assert not api.recipients({message: (ana, ANA)}, NOW)[0][message].always
    api.choose(Choices(Use.ALWAYS, look_up=True), actor=actor)
    assert api.recipients({message: (ana, ANA)}, NOW)[0][message].always
    assert api.choices() == Choices(Use.ALWAYS, look_up=True)
