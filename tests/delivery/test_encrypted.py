"""Letters that are encrypted to their reader's own key: when, what arrives, and what happens when the key is gone."""

from __future__ import annotations

import asyncio
import email
import hashlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import policy
from pathlib import Path
from typing import Any
from uuid import UUID

import dkim
import pytest
from django.db import connection
from django.urls import reverse

from salus.audit import api as audit
from salus.delivery import api, encrypting
from salus.delivery.contracts import Origin, State
from salus.delivery.laboratory import read_routes
from salus.delivery.models import Deposit, MessageRow
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import Protection
from salus.keys import api as keys
from salus.platform.tenancy import acting_for
from salus.sealedmail import api as sealedmail
from salus.sealedmail import keeping
from salus.sealedmail.contracts import Choices, KeyKind, Revocation, Use
from salus.sealedmail.models import KeyRow
from salus.wiring.catch.relay import Relay
from tests.browser import Console
from tests.sealedmail.holders import Gpg, Holder, MailAuthority

from . import office
from .conftest import Desk, furnish, open_clinic, sender_role, statements
from .laboratory import caught, hold_everything, send

HOSTS = {
    "smime": "mail",
    "openpgp": "mail",
    "keyless": "mail",
    "revoked": "mail",
    "expired": "mail",
    "moved": "mail",
    "verified": "partner",
    "clear": "no-starttls",
    "late": "mail",
    "special": "partner",
    "special-keyless": "partner",
}
"""At which host of the relay each person is; "mail" proves its name only, which is too little for a diagnosis."""


@dataclass
class Story:
    """What a sender did with a letter about diabetes, to people with and without keys."""

    desk: Desk
    relay: Relay
    gpg: Gpg
    authority: MailAuthority = field(default_factory=MailAuthority)
    people: dict[str, UUID] = field(default_factory=dict)
    held: dict[str, Holder] = field(default_factory=dict)
    keys: dict[str, UUID] = field(default_factory=dict)
    letter: Origin | None = None
    late: dict[str, int] = field(default_factory=dict)

    def address(self, name: str) -> str:
        """Return somebody's mail address."""
        return f"{name}@{HOSTS[name]}.example.test"

    def row(self, name: str) -> MessageRow:
        """Return the letter to somebody."""
        assert self.letter
        return MessageRow.objects.get(origin_id=self.letter.id, contact_id=self.people[name])

    def mail(self, name: str) -> bytes:
        """Return what arrived of it."""
        [mail] = caught(self.relay.mailbox, self.row(name))
        return mail.data

    def give_certificate(self, name: str, **facts: Any) -> None:
        """Let somebody have a certificate that is on file."""
        self.held[name] = self.authority.issue(self.address(name), **facts)
        self.keys[name] = sealedmail.add_key(
            self.people[name], self.held[name].certificate, actor=self.desk.actor, at=self.desk.clock.now()
        )


class Revoking:
    """A courier before whom somebody revokes a key, after the message was encrypted to it."""

    def __init__(self, story: Story, courier: Any) -> None:
        self._story, self._courier = story, courier

    def __getattr__(self, name: str) -> Any:
        return getattr(self._courier, name)

    async def send(self, item: Any) -> Any:
        """Revoke, then send."""
        if item.key_id == self._story.keys["late"]:
            self._story.late["tried"] = self._story.late.get("tried", 0) + 1
            await asyncio.to_thread(self._revoke)
        return await self._courier.send(item)

    def _revoke(self) -> None:
        desk = self._story.desk
        try:
            with acting_for(desk.id):
                sealedmail.revoke(
                    self._story.keys["late"], Revocation.COMPROMISED, actor=desk.actor, at=desk.clock.now()
                )
        finally:
            connection.close()


@pytest.fixture(scope="module")
def told(world: Any, django_db_blocker: Any, fast_passwords: None, relay: Relay) -> Iterator[Story]:
    """The story, told once for all tests of this module."""
    with django_db_blocker.unblock(), tempfile.TemporaryDirectory(prefix="gpg") as folder:
        hold_everything(world)
        story = begin(relay, Gpg(Path(folder)))
        with sender_role(world):
            send(
                story.desk,
                read_routes(relay.routes_file),
                change=lambda courier: Revoking(story, courier),
                fresh=0.0,
            )
        with acting_for(story.desk.id):
            while audit.integrate():
                pass
            audit.checkpoint()
        yield story
        story.gpg.end()
        hold_everything(world)


def begin(relay: Relay, gpg: Gpg) -> Story:
    """Put keys on file, plan and release a letter about diabetes."""
    story = Story(furnish(open_clinic()), relay, gpg)
    desk = story.desk
    desk.clock = FakeClock(datetime.now(UTC) + timedelta(seconds=5))
    with acting_for(desk.id):
        patches = [office.patient(name, story.address(name), desk.clock.now()) for name in HOSTS]
        story.people = dict(zip(HOSTS, office.admit(patches, desk.actor), strict=True))
        desk.people = list(story.people.values())
        sealedmail.trust(story.authority.pem, actor=desk.actor, at=desk.clock.now())
        for name in ("smime", "revoked", "moved", "verified", "clear", "late", "special"):
            story.give_certificate(name)
        story.give_certificate("expired", lasts=timedelta(days=1, minutes=5))
        fingerprint = gpg.make(f"Ana <{story.address('openpgp')}>")
        story.keys["openpgp"] = sealedmail.add_key(
            story.people["openpgp"], gpg.public(fingerprint), fingerprint=fingerprint,
            actor=desk.actor, at=datetime.now(UTC),
        )  # fmt: skip
        sealedmail.make_certificate(actor=desk.actor, at=datetime.now(UTC))
        sealedmail.make_openpgp(actor=desk.actor, at=datetime.now(UTC))
        ours = next(each for each in sealedmail.own() if each.kind is KeyKind.OPENPGP)
        gpg("--import", given=ours.public.encode())
        about = office.template(desk.organization, office.EDUCATION)
        story.letter, _ = desk.plan(desk.spec(about, reads=office.ASKS_FOR_DIABETES))
        # Planned with keys that are gone, or have ended, when they are handed over.
        sealedmail.revoke(story.keys["revoked"], Revocation.LOST, actor=desk.actor, at=desk.clock.now())
        MessageRow.objects.filter(
            origin_id=story.letter.id,
            contact_id__in=[story.people["special"], story.people["special-keyless"]],
        ).update(floor=Protection.KEY)
        _move(story)
        api.release(story.letter, not_before=desk.clock.now(), actor=desk.actor)
        desk.clock.advance(timedelta(minutes=10))
    return story


def _move(story: Story) -> None:
    """Let somebody have another address than the one that their key is for."""
    row = KeyRow.objects.get(id=story.keys["moved"])
    document = keeping.open_document(keys.sealer(), row)
    row.sealed = keeping.seal(row.id, replace(document, address="moved@former.example.test"))
    row.save()


@pytest.fixture
def story(told: Story, database: object) -> Iterator[Story]:
    """The story, with the test inside the clinic's context."""
    with acting_for(told.desk.id):
        yield told


def test_where_tls_is_too_little_a_letter_goes_encrypted_to_the_readers_certificate(
    story: Story, tmp_path: Path
) -> None:
    row, data = story.row("smime"), story.mail("smime")
    assert (row.state, row.reached) == (State.ACCEPTED, Protection.KEY)
    message = email.message_from_bytes(data, policy=policy.default)
    assert message["subject"] == "[...]"
    assert message.get_content_type() == "application/pkcs7-mime"
    for word in (b"Dear", b"visit", b"diabetes"):
        assert word not in data
    held = story.held["smime"]
    (tmp_path / "c.pem").write_bytes(held.certificate)
    (tmp_path / "k.pem").write_bytes(held.key)
    opened = _openssl("-decrypt", "-recip", f"{tmp_path}/c.pem", "-inkey", f"{tmp_path}/k.pem", given=data)
    # A laboratory's own certificate: nobody vouches for it, the signature holds all the same.
    payload = _openssl("-verify", "-noverify", "-binary", given=opened)
    inner = email.message_from_bytes(payload, policy=policy.default)
    assert "Dear Smime" in inner.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert hashlib.sha256(payload).hexdigest() == api.receipt(row.id).key["payload_hash"]


def _openssl(*arguments: str, given: bytes) -> bytes:
    return subprocess.run(["openssl", "cms", *arguments], input=given, capture_output=True, check=True).stdout


def test_and_to_an_openpgp_key(story: Story) -> None:
    row, data = story.row("openpgp"), story.mail("openpgp")
    assert (row.state, row.reached) == (State.ACCEPTED, Protection.KEY)
    _, encrypted = email.message_from_bytes(data, policy=policy.default).iter_parts()
    payload = story.gpg("--decrypt", given=encrypted.get_content())
    inner = email.message_from_bytes(payload, policy=policy.default)
    assert "Dear Openpgp" in inner.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert inner["subject"] == "A visit is due"
    assert "Good signature from" in story.gpg.said


@pytest.mark.parametrize("name", ["smime", "openpgp", "special"])
def test_the_receipt_states_level_algorithm_and_key_and_is_in_the_log(story: Story, name: str) -> None:
    row = story.row(name)
    receipt = api.receipt(row.id)
    assert receipt.is_proven, receipt.faults
    assert (receipt.reached, receipt.key["id"]) == ("key", str(story.keys[name]))
    assert receipt.key["algorithm"].startswith(("AES-256-GCM, ECDH-SHA256", "OpenPGP, "))
    assert receipt.tls["version"] in {"TLSv1.2", "TLSv1.3"}, "it is within TLS all the same"
    assert hashlib.sha256(story.mail(name)).hexdigest() == receipt.body_hash
    fingerprint = sealedmail.key(story.keys[name], story.desk.clock.now()).fingerprint.reveal()
    assert fingerprint not in str(receipt.steps), "it would tell from a key server whose key it is"
    assert sealedmail.is_marked(story.keys[name], receipt.key["mark"])
    assert api.told_receipt(row.id, actor=story.desk.actor).same_bytes is True


def test_the_page_shows_the_fingerprint_to_those_who_may_see_keys(told: Story, database: object) -> None:
    with acting_for(told.desk.id):
        message_id = told.row("smime").id
        print_ = sealedmail.key(told.keys["smime"], told.desk.clock.now()).fingerprint.reveal()
    console = Console("", told.desk.organization)
    for role, shown in (("privacy_officer", True), ("marketer", False)):
        page = console.client(role).get(reverse("delivery:receipt", args=[message_id])).content.decode()
        assert "AES-256-GCM, ECDH-SHA256" in page
        assert "what the reader opens is the same" in page
        assert (print_[:4] + " " + print_[4:8] in page) is shown


def test_dkim_signs_what_everybody_sees(story: Story) -> None:
    domain = story.desk.organization.sending_domain
    records = {
        f"{key.selector}._domainkey.{domain}.".encode(): key.txt.encode() for key in keys.dkim_keys(domain)
    }
    verifier = dkim.DKIM(story.mail("smime"))
    assert [verifier.verify(n, dnsfunc=lambda name, timeout=5: records[name]) for n in (0, 1)] == [True, True]


def test_where_tls_is_enough_nothing_is_encrypted_unless_somebody_asks_for_it(story: Story) -> None:
    assert api.receipt(story.row("verified").id).reached == "verified"
    assert b"Subject: A visit is due" in story.mail("verified")
    assert api.receipt(story.row("verified").id).key == {}


def test_a_special_category_goes_by_key_even_to_a_verified_host(story: Story) -> None:
    assert api.receipt(story.row("special").id).reached == "key"
    assert story.row("special-keyless").state == State.PORTAL


@pytest.mark.parametrize("name", ["keyless", "revoked", "expired", "moved", "clear"])
def test_without_a_key_that_may_be_used_or_without_tls_it_is_the_portal_and_never_in_clear(
    story: Story, name: str
) -> None:
    row = story.row(name)
    assert row.state in {State.PORTAL, State.PORTAL_UNNOTIFIED}
    assert caught(story.relay.mailbox, row) == []
    assert Deposit.objects.filter(message_id=row.id).exists()


def test_a_key_that_is_revoked_after_the_letter_was_encrypted_to_it_stops_the_letter(story: Story) -> None:
    assert story.late["tried"] == 1
    row = story.row("late")
    assert row.state == State.PORTAL
    assert caught(story.relay.mailbox, row) == []


def test_always_encrypts_where_tls_would_do_and_notices_never(desk: Desk) -> None:
    authority = MailAuthority()
    (ana,) = desk.admit("ana")
    sealedmail.trust(authority.pem, actor=desk.actor, at=desk.clock.now())
    held = authority.issue("ana@lakepost.example.test")
    sealedmail.add_key(ana, held.certificate, actor=desk.actor, at=desk.clock.now())
    sealedmail.choose(Choices(Use.ALWAYS), actor=desk.actor)
    desk.release()
    [prepared] = encrypting.with_keys(desk.take().prepared, desk.clock.now())
    assert prepared.reader
    assert prepared.reader.always
    desk.settle(desk.outcome(prepared, State.PORTAL))
    [notice] = encrypting.with_keys(desk.take().prepared, desk.clock.now())
    assert notice.reader is None


def test_a_message_without_keys_pays_one_question(desk: Desk) -> None:
    desk.admit("ana", "bo", "eva")
    desk.release()
    prepared = desk.take().prepared
    with statements() as asked:
        assert encrypting.with_keys(prepared, desk.clock.now()) == prepared
    assert len(asked) == 1
