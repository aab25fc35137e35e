"""The pages of mail keys and their addresses for programs: who sees and changes what, and words for what is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from playwright.sync_api import Page, expect

from salus.contacts import api as contacts
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.inbox import api as inbox
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel
from salus.platform.tenancy import acting_for
from salus.sealedmail import api
from salus.sealedmail.contracts import Choices, Ending, KeyKind, Revocation, Standing, Use
from salus.wiring.reminding import MAIL_KEYS, remind_of_mail_keys, task_about
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)
from tests.sealedmail.holders import Gpg, MailAuthority

ANA = "ana@lakepost.example.test"
LISTS = "/mail-keys/authorities/list"


def admit(console: Console, address: str = ANA) -> UUID:
    """Take somebody in."""
    found = Address(Channel.EMAIL, Phi(address), AddressSource.CLINICAL_ENCOUNTER, "visit", date(2026, 1, 5))
    patch = ContactPatch(identifiers=(Identifier("mrn", Phi(new_id().hex[-10:])),), addresses=(found,))
    with acting_for(console.organization.id):
        (merged,) = contacts.merge([patch], actor=system(console.organization.id, "test"))
    assert merged.contact_id
    return merged.contact_id


def standing(console: Console, contact_id: UUID) -> list[Standing]:
    """Return how a person's keys stand."""
    with acting_for(console.organization.id):
        return [each.standing for each in api.keys_of(contact_id, datetime.now(UTC))]


def test_a_nurse_puts_a_key_on_file_and_revokes_it(
    console: Console, page_at: Callable[..., Page], authority: MailAuthority
) -> None:
    ana, held = admit(console), authority.issue(ANA)
    page = page_at(WIDE)
    sign_in(page, "care_coordinator")
    page.goto(f"{console.url}/contacts/{ana}")
    page.get_by_role("link", name="Add a key").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Mail key of")
    page.get_by_label("The certificate or public key").fill(held.certificate.decode())
    page.get_by_role("button", name="Put it on file").click()
    expect(page.get_by_text("No authority that you trust vouches for this key.")).to_be_visible()
    assert_accessible(page)
    keep_picture(page, "mail-key-new")
    heard = hashlib.sha256(held.der).hexdigest()
    page.get_by_label("The fingerprint that its holder told you").fill(heard)
    page.get_by_role("button", name="Put it on file").click()
    expect(page.get_by_role("link", name="S/MIME")).to_be_visible()
    keep_picture(page, "mail-keys-of-a-contact")
    page.get_by_role("link", name="S/MIME").click()
    expect(page.get_by_role("heading", name="Use it no more")).to_be_visible()
    assert_accessible(page)
    keep_picture(page, "mail-key")
    page.set_viewport_size({"width": NARROW, "height": 800})
    assert_no_sideways_scroll(page)
    keep_picture(page, "mail-key")
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_label("Why?")).to_be_focused()
    page.get_by_label("Why?").select_option("lost")
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("Its holder lost it")).to_be_visible()
    assert standing(console, ana) == [Standing.REVOKED]


def test_an_administrator_sees_and_settles_everything_on_one_page(
    console: Console, page_at: Callable[..., Page], authority: MailAuthority
) -> None:
    page = page_at(WIDE)
    sign_in(page, "administrator")
    page.goto(f"{console.url}/mail-keys/")
    page.get_by_role("button", name="Make one for a laboratory").click()
    expect(page.get_by_text("Laboratory: nobody vouches for it")).to_be_visible()
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_text("Signed", exact=True)).to_be_visible()
    page.get_by_label("The authority's certificate").fill(authority.pem.decode())
    page.get_by_role("button", name="Trust it").click()
    expect(page.get_by_text("Ellery Mail CA")).to_be_visible()
    page.get_by_label("Whenever there is one").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("link", name="Add a key").click()
    page.get_by_label("Domain").fill("mill.example.test")
    gateway = authority.issue("gateway@mill.example.test")
    page.get_by_label("The certificate or public key").fill(gateway.certificate.decode())
    page.get_by_role("button", name="Put it on file").click()
    expect(page.get_by_role("link", name="mill.example.test")).to_be_visible()
    assert_accessible(page)
    keep_picture(page, "mail-keys")
    page.set_viewport_size({"width": NARROW, "height": 800})
    assert_no_sideways_scroll(page)
    keep_picture(page, "mail-keys")
    with acting_for(console.organization.id):
        assert api.choices() == Choices(Use.ALWAYS, look_up=False)
    page.get_by_role("link", name="Read a revocation list").click()
    page.get_by_label("The list as text").fill(authority.revoking(gateway).decode())
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "mail-keys-list")
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_text("1 certificate on file revoked.")).to_be_visible()


def test_a_certificate_comes_as_a_file_with_its_password(console: Console, authority: MailAuthority) -> None:
    client = console.client("administrator")
    sender = f"care@{console.organization.sending_domain}"
    bought = authority.issue(sender)

    def give(password: str) -> int:
        file = SimpleUploadedFile("own.p12", bought.p12)
        return client.post("/mail-keys/own/certificate", {"file": file, "password": password}).status_code

    assert give("wrong") == 400
    assert client.post("/mail-keys/own/certificate", {}).status_code == 400
    assert give("kiosk-lantern") == 303
    with acting_for(console.organization.id):
        (own,) = api.own()
    assert (own.address, own.self_signed) == (sender, False)
    assert client.post("/mail-keys/own/smime/drop").status_code == 303
    assert client.post("/mail-keys/own/nothing/drop").status_code == 404


@pytest.mark.parametrize("role", ["marketer", "analyst", "author", "developer", "auditor"])
def test_others_see_no_keys(console: Console, authority: MailAuthority, role: str) -> None:
    ana = admit(console, f"{role}@lakepost.example.test")
    client = console.client(role)
    for address in ("/mail-keys/", f"/contacts/{ana}/mail-keys/new", f"/mail-keys/{new_id()}"):
        assert client.get(address).status_code == 404
    if role == "marketer":
        assert "mail-keys" not in client.get(f"/contacts/{ana}").content.decode()


def test_a_nurse_settles_nothing_for_the_organization(console: Console, authority: MailAuthority) -> None:
    client = console.client("care_coordinator")
    assert client.get("/mail-keys/").status_code == 200
    for address, body in (
        ("/mail-keys/choices", {"use": "always"}),
        ("/mail-keys/authorities", {"certificate": authority.pem.decode()}),
        ("/mail-keys/own/smime/make", {}),
    ):
        assert client.post(address, body).status_code == 404


def test_pages_of_what_is_not_there_read_absent(console: Console) -> None:
    client = console.client("privacy_officer")
    assert client.get(f"/mail-keys/{new_id()}").status_code == 404
    assert client.get(f"/contacts/{new_id()}/mail-keys/new").status_code == 404
    assert client.post(f"/contacts/{new_id()}/mail-keys/look-up").status_code == 404


@pytest.fixture
def program(console: Console) -> Callable[..., Client]:
    """A program with an API key of these permissions."""

    def make(*scopes: Permission) -> Client:
        with acting_for(console.organization.id):
            actor = system(console.organization.id, "test")
            key = identity.create_api_key("Keys", scopes, actor=actor, allowed=list(Permission))
        return Client(headers={"host": "localhost", "authorization": f"Bearer {key}"})

    return make


def test_programs_put_keys_on_file_and_revoke_them(
    console: Console, program: Callable[..., Client], gpg: Gpg
) -> None:
    address = "rest@lakepost.example.test"
    ana, fingerprint = admit(console, address), gpg.make(f"Ana <{address}>")
    client = program(Permission.SEALEDMAIL_KEY_READ, Permission.SEALEDMAIL_KEY_EDIT)
    there = f"/api/v1/contacts/{ana}/mail-keys"

    def post(where: str, **body: str) -> tuple[int, dict[str, str]]:
        answer = client.post(where, body, content_type="application/json")
        return answer.status_code, answer.json() if answer.content else {}

    assert post(there, key="nothing")[0] == 400
    assert post(there, key=gpg.public(fingerprint).decode())[0] == 400
    status, made = post(there, key=gpg.public(fingerprint).decode(), fingerprint=fingerprint)
    assert status == 201
    (key,) = client.get(there).json()["keys"]
    assert (key["fingerprint"], key["standing"], key["source"]) == (fingerprint.lower(), "in_use", "program")
    assert post(f"{there}/look-up")[0] == 409
    assert client.get(f"{there}/look-up").json() == {"at": None, "found": None}
    revoke = f"/api/v1/mail-keys/{made['id']}/revoke"
    assert post(revoke, revocation="nothing")[0] == 400
    assert post(revoke, revocation=gpg.revocation(fingerprint).decode())[0] == 204
    assert post(revoke)[0] == 409
    assert post(f"/api/v1/mail-keys/{new_id()}/revoke")[0] == 404
    reader = program(Permission.SEALEDMAIL_KEY_READ)
    assert reader.get("/api/v1/mail-keys/domains").json() == {"keys": []}
    assert reader.post(there, {"key": "x"}, content_type="application/json").status_code in {403, 404}


def test_people_are_reminded_before_a_key_ends_and_not_after_it_was_replaced(
    console: Console, authority: MailAuthority
) -> None:
    ana, now = admit(console, "remind@lakepost.example.test"), datetime.now(UTC)
    actor = system(console.organization.id, "worker")
    with acting_for(console.organization.id):
        api.trust(authority.pem, actor=actor, at=now)
        short = authority.issue("remind@lakepost.example.test", lasts=timedelta(days=20))
        key = api.add_key(ana, short.certificate, actor=actor, at=now)
        remind_of_mail_keys(actor=actor, at=now)
        remind_of_mail_keys(actor=actor, at=now)
        assert inbox.open_keys(MAIL_KEYS) == {f"{MAIL_KEYS}{key}"}
        renewed = authority.issue("remind@lakepost.example.test")
        api.add_key(ana, renewed.certificate, actor=actor, at=now + timedelta(seconds=1))
        remind_of_mail_keys(actor=actor, at=now + timedelta(seconds=2))
        assert inbox.open_keys(MAIL_KEYS) == set()


def test_whoever_is_reminded_of_a_key_may_do_tasks(console: Console, authority: MailAuthority) -> None:
    now = datetime.now(UTC)
    actor = system(console.organization.id, "worker")
    with acting_for(console.organization.id):
        api.trust(authority.pem, actor=actor, at=now)
        short = authority.issue("all@partner.example.test", lasts=timedelta(days=20))
        partners = api.add_domain_key("partner.example.test", short.certificate, actor=actor, at=now)
        remind_of_mail_keys(actor=actor, at=now)
        assert f"{MAIL_KEYS}{partners}" in inbox.open_keys(MAIL_KEYS)
        for contact_id, own in ((None, True), (None, False), (new_id(), False)):
            task = task_about(Ending(new_id(), KeyKind.SMIME, contact_id, now, own))
            assert task.deputy
            assert {task.role, task.deputy} <= inbox.roles()


def test_the_page_says_how_many_ended_and_what_is_wrong(console: Console, authority: MailAuthority) -> None:
    ana = admit(console)
    held = authority.issue(ANA)
    fingerprint = held.parsed.fingerprint(SHA256()).hex()
    nurse = console.client("care_coordinator")
    nurse.post(
        f"/contacts/{ana}/mail-keys/new",
        {"key": (held.certificate + authority.pem).decode(), "fingerprint": fingerprint},
    )
    assert b"Read a revocation list" in nurse.get("/mail-keys/").content
    assert nurse.post(LISTS, {"list": ""}).status_code == 400
    refused = nurse.post(LISTS, {"list": MailAuthority("Another CA").revoking(held).decode()})
    assert refused.status_code == 400
    assert b"signed this list" in refused.content
    file = SimpleUploadedFile("ca.crl", authority.revoking())
    assert b"No certificate on file is on it." in nurse.post(LISTS, {"file": file}, follow=True).content
    done = nurse.post(LISTS, {"list": authority.revoking(held).decode()}, follow=True)
    assert b"1 certificate on file revoked." in done.content
    assert console.client("marketer").get(LISTS).status_code == 404
    with acting_for(console.organization.id):
        assert [each.why for each in api.keys_of(ana, datetime.now(UTC))] == [Revocation.BY_AUTHORITY]


def test_a_program_gives_a_list(
    console: Console, program: Callable[..., Client], authority: MailAuthority
) -> None:
    address, body = "/api/v1/mail-keys/revocation-lists", {"list": authority.revoking().decode()}
    writer = program(Permission.SEALEDMAIL_KEY_EDIT)
    refused = writer.post(address, body, content_type="application/json")
    assert refused.status_code == 400
    assert "signed this list" in refused.json()["detail"]
    with acting_for(console.organization.id):
        api.trust(authority.pem, actor=system(console.organization.id, "test"), at=datetime.now(UTC))
    answer = writer.post(address, body, content_type="application/json")
    assert (answer.status_code, answer.json()) == (200, {"ended": 0})
    reader = program(Permission.SEALEDMAIL_KEY_READ)
    assert reader.post(address, body, content_type="application/json").status_code in {403, 404}
