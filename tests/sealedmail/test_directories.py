"""Look-ups in web key directories: asked the right way, kept when fit, refreshed, ended when gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from salus.contacts import api as contacts
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.delivery import api as delivery
from salus.kernel.acting import Actor, system
from salus.kernel.errors import Conflict
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel
from salus.platform.tenancy import acting_for
from salus.sealedmail import api, directories
from salus.sealedmail.contracts import Choices, Found, Revocation, Source, Standing, Use, Vouched
from salus.sealedmail.directories import Answer
from tests.sealedmail.holders import Gpg


class Web:
    """The recipients' domains, as far as anybody asks them."""

    def __init__(self) -> None:
        self.advanced = self.direct = Answer(404)
        self.asked: list[str] = []

    def __call__(self, url: str, at: datetime) -> Answer:
        """Answer."""
        self.asked.append(url.partition("/hu/")[0])
        return self.advanced if "//openpgpkey." in url else self.direct


@pytest.fixture
def web() -> Iterator[Web]:
    """A web in place of the real one."""
    made = Web()
    api.use_directory(made)
    yield made
    api.use_directory(delivery.ask_key_directory)


@pytest.fixture
def ana(organization: UUID) -> tuple[UUID, str]:
    """Ana, and her address."""
    address = f"ana-{new_id().hex[-8:]}@lakepost.example.test"
    found = Address(Channel.EMAIL, Phi(address), AddressSource.CLINICAL_ENCOUNTER, "visit", date(2026, 1, 5))
    with acting_for(organization):
        api.choose(Choices(Use.WHEN_NEEDED, look_up=True), actor=who(organization))
        patch = ContactPatch(identifiers=(Identifier("mrn", Phi(address[4:12])),), addresses=(found,))
        (merged,) = contacts.merge([patch], actor=who(organization))
    assert merged.contact_id
    return merged.contact_id, address


def who(organization: UUID) -> Actor:
    """Return who looks up."""
    return system(organization, "worker")


def now() -> datetime:
    """Return the machine's time, by which keys end."""
    return datetime.now(UTC)


@pytest.fixture
def ask(organization: UUID, ana: tuple[UUID, str], web: Web) -> Callable[..., Found]:
    """Look Ana's key up, at a moment."""

    def look_up(at: datetime | None = None) -> Found:
        return directories.look_up(organization, ana[0], actor=who(organization), at=at or now())

    return look_up


def binary(gpg: Gpg, fingerprint: str) -> bytes:
    """Return a key as directories serve it."""
    return gpg("--export", fingerprint)


def test_the_advanced_place_is_asked_and_the_direct_one_only_without_its_host(
    ask: Callable[..., Found], web: Web, ana: tuple[UUID, str], gpg: Gpg
) -> None:
    assert ask() is Found.NONE
    assert web.asked == [
        "https://openpgpkey.lakepost.example.test/.well-known/openpgpkey/lakepost.example.test"
    ]
    web.asked.clear()
    web.advanced = Answer(0, reason="no_such_host")
    web.direct = Answer(200, binary(gpg, gpg.make(f"Ana <{ana[1]}>")))
    assert ask() is Found.KEPT
    assert web.asked[1:] == ["https://lakepost.example.test/.well-known/openpgpkey"]


def test_a_key_that_is_found_is_used_confirmed_and_replaced(
    organization: UUID, ask: Callable[..., Found], web: Web, ana: tuple[UUID, str], gpg: Gpg
) -> None:
    first = gpg.make(f"Ana <{ana[1]}>")
    web.advanced = Answer(200, binary(gpg, first))
    assert ask() is Found.KEPT
    assert ask() is Found.SAME
    with acting_for(organization):
        (key,) = api.keys_of(ana[0], now())
        assert (key.source, key.vouched, key.standing) == (Source.WKD, Vouched.DOMAIN, Standing.IN_USE)
        assert api.refresh(now()) == 0
        assert api.refresh(now() + timedelta(days=1, minutes=1)) == 1
        looked = api.looked_up(ana[0])
        assert looked
        assert looked.found is Found.SAME
        stale = now() + timedelta(days=15)
        assert api.keys_of(ana[0], stale)[0].standing is Standing.STALE
        assert api.still_in_use([key.id], stale) == set()
    gpg("--delete-secret-and-public-key", first)
    web.advanced = Answer(200, binary(gpg, gpg.make(f"Ana Díaz <{ana[1]}>")))
    assert ask() is Found.KEPT
    with acting_for(organization):
        standings = [each.standing for each in api.keys_of(ana[0], now())]
    assert standings == [Standing.IN_USE, Standing.REPLACED]


def test_what_carries_another_address_is_revoked_or_is_no_key_is_not_kept(
    ask: Callable[..., Found], web: Web, ana: tuple[UUID, str], gpg: Gpg
) -> None:
    web.advanced = Answer(200, binary(gpg, gpg.make(f"Bo <bo-{ana[1]}>")))
    assert ask() is Found.UNFIT
    for body in (b"", b"<html>", b"\xc6" * 400):
        web.advanced = Answer(200, body)
        assert ask() is Found.UNFIT
    fingerprint = gpg.make(f"Ana <{ana[1]}>")
    revoke(gpg, fingerprint)
    web.advanced = Answer(200, binary(gpg, fingerprint))
    assert ask() is Found.UNFIT


def revoke(gpg: Gpg, fingerprint: str) -> None:
    """Let a key's holder revoke it."""
    gpg("--import", given=gpg.revocation(fingerprint).replace(b":-----BEGIN", b"-----BEGIN"))


def test_one_that_its_holder_revoked_ends_ours_and_one_that_is_gone_too(
    organization: UUID, ask: Callable[..., Found], web: Web, ana: tuple[UUID, str], gpg: Gpg
) -> None:
    fingerprint = gpg.make(f"Ana <{ana[1]}>")
    web.advanced = Answer(200, binary(gpg, fingerprint))
    ask()
    revoke(gpg, fingerprint)
    web.advanced = Answer(200, binary(gpg, fingerprint))
    assert ask() is Found.UNFIT
    with acting_for(organization):
        (key,) = api.keys_of(ana[0], now())
    assert key.why is Revocation.BY_HOLDER
    gpg("--delete-secret-and-public-key", fingerprint)
    web.advanced = Answer(200, binary(gpg, gpg.make(f"Ana <{ana[1]}>")))
    ask()
    web.advanced = Answer(404)
    assert ask() is Found.NONE
    with acting_for(organization):
        assert api.keys_of(ana[0], now())[0].why is Revocation.WITHDRAWN


def test_a_domain_that_is_silent_changes_nothing(
    organization: UUID, ask: Callable[..., Found], web: Web, ana: tuple[UUID, str], gpg: Gpg
) -> None:
    web.advanced = Answer(200, binary(gpg, gpg.make(f"Ana <{ana[1]}>")))
    ask()
    for answer in (Answer(0, reason="timeout"), Answer(503), Answer(302)):
        web.advanced = answer
        assert ask() is Found.SILENT
    with acting_for(organization):
        assert api.keys_of(ana[0], now())[0].standing is Standing.IN_USE


def test_what_a_person_compared_goes_before_what_a_server_says(
    organization: UUID, ask: Callable[..., Found], web: Web, ana: tuple[UUID, str], gpg: Gpg
) -> None:
    mine = gpg.make(f"Ana <{ana[1]}>")
    with acting_for(organization):
        key = api.add_key(ana[0], gpg.public(mine), fingerprint=mine, actor=who(organization), at=now())
    gpg("--delete-secret-and-public-key", mine)
    web.advanced = Answer(200, binary(gpg, gpg.make(f"Mallory <{ana[1]}>")))
    assert ask() is Found.SAME
    with acting_for(organization):
        assert [each.id for each in api.keys_of(ana[0], now())] == [key]


def test_nobody_is_asked_unless_the_organization_wants_it(
    organization: UUID, ana: tuple[UUID, str], ask: Callable[..., Found], web: Web
) -> None:
    with acting_for(organization):
        api.choose(Choices(), actor=who(organization))
        with pytest.raises(Conflict):
            api.ask_directory(ana[0])
        assert api.refresh(now()) == 0
    with pytest.raises(Conflict):
        ask()
    assert api.look_up(organization, ana[0], actor=who(organization), at=now()) is None
    assert web.asked == []


def test_the_real_fetcher_says_why_it_has_nothing() -> None:
    found = delivery.ask_key_directory("http://openpgpkey.lakepost.example.test/x", now())
    assert (found.status, found.reason) == (0, "not_https")
    gone = delivery.ask_key_directory("https://openpgpkey.lakepost.example.invalid/x", now())
    assert gone.status == 0
    assert gone.reason in {"no_such_host", "dns_trouble"}
