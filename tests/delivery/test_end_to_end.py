"""A real sender, as its own database role, against the development relay: real TLS, real bytes, every fate."""

from __future__ import annotations

import email
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import dkim
import pytest

from salus.audit import api as audit
from salus.delivery import api, preparing
from salus.delivery.building import Builder
from salus.delivery.contracts import Origin, Receipt, State
from salus.delivery.laboratory import read_routes
from salus.delivery.leasing import Lease
from salus.delivery.models import Deposit, MessageRow, QueueRow
from salus.delivery.protection.dkim import Signer
from salus.delivery.return_paths import message_of
from salus.delivery.sealing import message_binding, open_content
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import Protection
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from salus.wiring.catch.behaviors import BEHAVIORS
from salus.wiring.catch.mailbox import Mail, Mailbox
from salus.wiring.catch.relay import Relay

from . import office
from .conftest import Desk, furnish, open_clinic, sender_role
from .laboratory import caught, hold_everything, send

PORTAL = (State.PORTAL_UNNOTIFIED, State.PORTAL_UNNOTIFIED)
FATES = {
    "mail": (State.ACCEPTED, State.ACCEPTED),
    "partner": (State.ACCEPTED, State.ACCEPTED),
    "pinned": (State.ACCEPTED, State.ACCEPTED),
    "throttle": (State.ACCEPTED, State.ACCEPTED),
    "unhurried": (State.ACCEPTED, State.ACCEPTED),
    "no-pipelining": (State.ACCEPTED, State.ACCEPTED),
    "no-starttls": PORTAL,
    "starttls-refused": PORTAL,
    "injected": PORTAL,
    "tls10": PORTAL,
    "weak-cipher": PORTAL,
    "expired": PORTAL,
    "wrong-name": PORTAL,
    "untrusted": PORTAL,
    "busy": (State.DEFERRED, State.DEFERRED),
    "partner-busy": (State.DEFERRED, State.DEFERRED),
    "greylist": (State.DEFERRED, State.ACCEPTED),
    "hangs-up": (State.DEFERRED, State.DEFERRED),
    "stalls": (State.DEFERRED, State.DEFERRED),
    "refuses": (State.BOUNCED, State.BOUNCED),
    "partner-refuses": (State.BOUNCED, State.BOUNCED),
    "full": (State.BOUNCED, State.BOUNCED),
    "spam": (State.BOUNCED, State.BOUNCED),
    "small": (State.BOUNCED, State.BOUNCED),
}
"""What becomes of a reminder at each host: when the sender has nothing due any more, and after ten minutes."""
SLOW = {"slow"}
"""Answers each command after a second: the wire's own tests wait for it."""
CLINICAL = {"mail": State.PORTAL, "partner": State.ACCEPTED, "pinned": State.ACCEPTED}
"""The same for a letter about diabetes, which needs verified TLS."""
VERIFIED = {"partner", "pinned"}
UNSAFE = {name for name, fate in FATES.items() if fate is PORTAL}


@dataclass
class Story:
    """What a sender did with two sendings, first until nothing was due, then again ten minutes later."""

    desk: Desk
    mailbox: Mailbox
    reminder: Origin
    clinical: Origin
    people: dict[str, UUID]
    first: dict[str, str] = field(default_factory=dict)

    def message(self, name: str, origin: Origin | None = None) -> MessageRow:
        """Return the message to the person at a host; the reminder, unless another sending is named."""
        return MessageRow.objects.get(origin_id=(origin or self.reminder).id, contact_id=self.people[name])

    def receipt(self, name: str, origin: Origin | None = None) -> Receipt:
        """Return its receipt."""
        return api.receipt(self.message(name, origin).id)

    def mails(self, row: MessageRow) -> list[Mail]:
        """Return what was caught of a message, oldest first."""
        return caught(self.mailbox, row)

    def states(self) -> dict[str, str]:
        """Return the state of the reminder at each host."""
        return {name: self.message(name).state for name in FATES}


@pytest.fixture(scope="module")
def told(world: Any, django_db_blocker: Any, fast_passwords: None, relay: Relay) -> Iterator[Story]:
    """The story, told once for all tests of this module."""
    with django_db_blocker.unblock():
        hold_everything(world)
        story = begin(relay)
        routes = read_routes(relay.routes_file)
        with sender_role(world):
            send(story.desk, routes)
            with acting_for(story.desk.id):
                story.first = story.states()
            story.desk.clock.advance(timedelta(minutes=10))
            send(story.desk, routes)
        with acting_for(story.desk.id):
            while audit.integrate():
                pass
            audit.checkpoint()
        yield story
        hold_everything(world)


@pytest.fixture
def story(told: Story, database: object) -> Iterator[Story]:
    """The story, with the test inside the clinic's context."""
    with acting_for(told.desk.id):
        yield told


def begin(relay: Relay) -> Story:
    """Plan and release a reminder to somebody at each host, and a letter about diabetes to some."""
    desk = furnish(open_clinic())
    desk.clock = FakeClock(datetime.now(UTC) + timedelta(seconds=5))
    with acting_for(desk.id):
        patches = [
            office.patient(name, f"ana@{name}.example.test", desk.clock.now(), given_name="Ana")
            for name in FATES
        ]
        people = dict(zip(FATES, office.admit(patches, desk.actor), strict=True))
        desk.people = list(people.values())
        reminder = desk.release()
        about = office.template(desk.organization, office.EDUCATION)
        desk.people = [people[name] for name in CLINICAL]
        clinical, counts = desk.plan(desk.spec(about, reads=office.ASKS_FOR_DIABETES))
        assert counts.by_floor == {"verified": 3}
        api.release(clinical, not_before=desk.clock.now(), actor=desk.actor)
    return Story(desk, relay.mailbox, reminder, clinical, people)


def published(domain: str) -> dict[bytes, bytes]:
    """Return the clinic's DKIM records, as DNS would answer them."""
    return {
        f"{key.selector}._domainkey.{domain}.".encode(): key.txt.encode() for key in keys.dkim_keys(domain)
    }


def test_every_host_of_the_relay_has_its_fate_here() -> None:
    assert set(FATES) == {each.name for each in BEHAVIORS} - SLOW


@pytest.mark.parametrize("name", sorted(FATES))
def test_each_host_ends_as_its_behavior_says(story: Story, name: str) -> None:
    assert (story.first[name], story.message(name).state) == FATES[name]


def test_nobody_is_lost_and_the_sums_add_up(story: Story) -> None:
    for origin, people in ((story.reminder, FATES), (story.clinical, CLINICAL)):
        progress = api.progress(origin)
        summed = api.accounted(dict(progress.states))
        assert sum(summed.values()) == progress.planned == len(people)
        waiting = QueueRow.objects.filter(origin_id=origin.id)
        assert waiting.count() == summed["queued"]
        assert not waiting.exclude(lease_until=None).exists()


@pytest.mark.parametrize("name", sorted(name for name, fate in FATES.items() if fate[1] is State.ACCEPTED))
def test_what_was_taken_is_what_the_receipt_says_and_both_signatures_hold(story: Story, name: str) -> None:
    row, receipt = story.message(name), story.receipt(name)
    [mail] = story.mails(row)
    assert mail.behavior == name
    assert hashlib.sha256(mail.data).hexdigest() == receipt.body_hash
    domain = story.desk.organization.sending_domain
    records = published(domain)
    verifier = dkim.DKIM(mail.data)
    assert [verifier.verify(number, dnsfunc=lambda name, timeout=5: records[name]) for number in (0, 1)] == [
        True,
        True,
    ]
    assert receipt.is_proven, receipt.faults
    assert receipt.reached == ("verified" if name in VERIFIED else "named")
    assert receipt.tls["version"] == mail.tls_version
    assert receipt.tls["version"] in {"TLSv1.2", "TLSv1.3"}


def test_the_mail_says_what_the_template_says_and_carries_what_the_gate_asked_for(story: Story) -> None:
    row = story.message("mail")
    [mail] = story.mails(row)
    message = email.message_from_bytes(mail.data)
    assert message["To"] == "ana@mail.example.test"
    assert message["From"] == "Cedar Row Clinic <care@mail.cedar-row.example.org>"
    assert message["Subject"] == "A visit is due"
    assert row.id.hex in message["Message-ID"]
    local, _, domain = mail.sender.partition("@")
    with acting_for(story.desk.id):
        assert message_of(local, keys.blinder()) == row.id
    assert domain == "mail.cedar-row.example.org"
    parts = {part.get_content_type(): part for part in message.walk()}
    text = parts["text/plain"].get_payload(decode=True)
    assert isinstance(text, bytes)
    assert b"Dear Ana, it is time for a visit." in text
    assert "text/html" in parts
    elements = api.receipt(row.id).elements
    assert (message["List-Unsubscribe"] is not None) == ("list_unsubscribe" in elements)
    assert (message["List-Unsubscribe-Post"] is not None) == ("list_unsubscribe_post" in elements)


@pytest.mark.parametrize("name", sorted(UNSAFE))
def test_nothing_is_said_to_a_host_that_cannot_protect_it(story: Story, name: str) -> None:
    row = story.message(name)
    assert story.mails(row) == []
    assert story.mailbox.by_behavior[name] == 0
    deposit = Deposit.objects.get(message_id=row.id)
    assert deposit.path_failed
    assert deposit.notice_id is not None
    notice = MessageRow.objects.get(id=deposit.notice_id)
    assert notice.state == State.GAVE_UP, "the notice cannot travel there either"
    assert notice.reason
    assert "Dear Ana" in api.portal_message(row.id).text.reveal()
    receipt = api.receipt(row.id)
    assert (receipt.reached, receipt.reason) == ("portal", row.reason)


def test_a_letter_about_diabetes_goes_verified_or_by_the_portal_with_a_notice(story: Story) -> None:
    for name, state in CLINICAL.items():
        assert story.message(name, story.clinical).state == state
    for name in VERIFIED:
        assert story.receipt(name, story.clinical).reached == "verified"
        assert "diagnosis" in story.receipt(name, story.clinical).disclosed
    row = story.message("mail", story.clinical)
    assert story.mails(row) == []
    deposit = Deposit.objects.get(message_id=row.id)
    assert deposit.notice_id is not None
    notice = MessageRow.objects.get(id=deposit.notice_id)
    assert notice.state == State.ACCEPTED
    [mail] = story.mails(notice)
    assert mail.behavior == "mail"
    said = mail.data.lower()
    for word in (b"ana,", b"visit", b"diabetes"):
        assert word not in said


def test_an_address_that_does_not_exist_is_suppressed_and_no_other(story: Story) -> None:
    at = story.desk.clock.now()
    suppressed = {name for name, id in story.people.items() if permissions.standing(id, at).suppressions}
    assert suppressed == {"refuses", "partner-refuses"}


def test_where_the_peer_hung_up_each_try_is_kept_with_its_doubt(story: Story) -> None:
    row = story.message("hangs-up")
    mails = story.mails(row)
    receipt = api.receipt(row.id)
    assert row.uncertain
    assert row.attempts == len(mails) == len(receipt.steps) == 2
    for mail, step in zip(mails, receipt.steps, strict=True):
        assert step["uncertain"]
        assert step["body_hash"] == hashlib.sha256(mail.data).hexdigest()
    assert not story.message("busy").uncertain


def test_the_same_bytes_can_be_made_again_from_the_row(story: Story) -> None:
    row, receipt = story.message("mail"), story.receipt("mail")
    keeper = preparing._Keeper(story.desk.organization, story.desk.actor, story.desk.clock.now())
    content = open_content(keys.sealer(), message_binding(story.desk.id, row.id), row.sealed)
    made = keeper.ready(Lease(row.id, story.desk.id, 1, was_begun=False, site="", priority=2), row, content)
    assert isinstance(made, preparing.Prepared)
    domain = story.desk.organization.sending_domain
    builder = Builder(story.desk.organization, Signer(domain, keys.dkim_keys(domain)), keys.blinder())
    built = builder.build(made, made.links, datetime.fromisoformat(receipt.steps[-1]["date"]))
    assert built.body_hash == receipt.body_hash


def test_a_receipt_holds_nothing_that_tells_who_it_was(story: Story) -> None:
    for name in FATES:
        for step in story.receipt(name).steps:
            assert "ana" not in str(step).lower().replace("named", "")


def test_protection_is_never_below_what_the_message_needs(story: Story) -> None:
    for row in MessageRow.objects.filter(state=State.ACCEPTED):
        assert Protection(row.reached) >= Protection(row.floor)
