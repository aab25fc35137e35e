"""`salus keys` as an administrator types it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import dns.resolver
import pytest

from salus.audit import api as audit
from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.identity.contracts import Organization
from salus.kernel.acting import system
from salus.kernel.errors import NotFound
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel, SenderRole
from salus.keys import api as keys
from salus.keys.models import KeyRow
from salus.platform.tenancy import acting_for
from salus.wiring.cli import main
from tests.contacts.people import email, patch

Salus = Callable[..., tuple[int, str, str]]


@pytest.fixture
def salus(database: Any, settings: Any, capsys: pytest.CaptureFixture[str]) -> Salus:
    settings.HOME = database.home

    def run(*words: str) -> tuple[int, str, str]:
        return (main(words), *capsys.readouterr())

    return run


@pytest.fixture
def clinic(database: Any) -> Organization:
    return identity.create_organization(
        name="Keyed Clinic",
        slug=f"keyed-{new_id().hex[-12:]}",
        sender_role=SenderRole.PROVIDER,
        postal_address="1 Main Street, Springfield, IL 62701",
        phone="+12175550100",
        sending_domain="keyed.example",
    )


def test_keys_are_listed_rotated_and_never_shown(salus: Salus, clinic: Organization) -> None:
    with acting_for(clinic.id):
        secret = keys.audience_file_key()
    code, out, _ = salus("keys", "rotate", "data", "--organization", clinic.slug)
    assert (code, "version 2" in out) == (0, True)
    code, out, err = salus("keys", "list", "--organization", clinic.slug)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()].count("data") == 2
    assert secret.hex() not in out + err


def test_the_records_to_publish_are_those_of_the_keys(salus: Salus, clinic: Organization) -> None:
    code, out, _ = salus("keys", "dkim", "news.keyed.example", "--organization", clinic.slug)
    assert code == 0
    with acting_for(clinic.id):
        made = keys.dkim_keys("news.keyed.example")
    assert out.splitlines() == [f"{key.selector}._domainkey.news.keyed.example TXT {key.txt}" for key in made]


def test_a_wrong_kind_or_domain_is_a_usage_fault(salus: Salus, clinic: Organization) -> None:
    assert salus("keys", "rotate", "audience", "--organization", clinic.slug)[0] == 2
    assert salus("keys", "dkim", "not a domain", "--organization", clinic.slug)[0] == 2
    assert salus("keys", "list", "--organization", "nobody")[0] == 1


def test_a_rotation_shows_what_it_does_and_goes_on_where_one_was_left(
    salus: Salus, clinic: Organization
) -> None:
    with acting_for(clinic.id):
        keys.rotate("blind", actor=system(clinic.id, "test"))
        contacts.merge([patch(email("a@lakepost.test"), mrn="7")], actor=system(clinic.id, "test"))
    assert salus("keys", "rotate", "data", "--in-background", "--organization", clinic.slug)[0] == 0
    out = salus("keys", "list", "--organization", clinic.slug)[1]
    assert re.search(r"to data v2: contacts_contact.sealed +0 of 1  under way", out)
    code, out, err = salus("keys", "rotate", "data", "--organization", clinic.slug)
    assert (code, "version 2, goes on" in out) == (0, True)
    assert "contacts_contact.sealed: 1 rows" in err
    out = salus("keys", "list", "--organization", clinic.slug)[1]
    assert re.search(r"to data v2: contacts_contact.sealed +1 of 1  done", out)
    assert salus("keys", "reseal", "--organization", clinic.slug)[0] == 0
    code, out, _ = salus("keys", "destroy-retired", "data", "--organization", clinic.slug)
    assert (code, "0 retired keys" in out, "a day after" in out) == (0, True, True)


def test_what_is_left_under_an_old_key_is_told_and_set_going(salus: Salus, clinic: Organization) -> None:
    actor = system(clinic.id, "test")
    with acting_for(clinic.id):
        contacts.merge([patch(email("a@lakepost.test"), mrn="7")], actor=actor)
    with acting_for(clinic.id):
        keys.rotate("data", actor=actor)
    code, _, err = salus("keys", "destroy-retired", "data", "--organization", clinic.slug)
    assert (code, "yet: 1" in err) == (1, True)


def test_a_checkpoint_key_is_rotated_and_the_log_signed_with_it_at_once(
    salus: Salus, clinic: Organization
) -> None:
    code, out, _ = salus("keys", "rotate", "checkpoint", "--organization", clinic.slug)
    with acting_for(clinic.id):
        assert (code, out.splitlines()[-1]) == (0, audit.verifier_key())
        signed = audit.latest_checkpoint()
        assert signed is not None
        assert audit.verifier_key(signed.note) == audit.verifier_key()
        assert audit.verify().verified


def test_selectors_are_rotated_in_two_steps(
    salus: Salus, clinic: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: dict[str, list[bytes]] = {}

    def resolve(name: str, kind: str, lifetime: float) -> list[SimpleNamespace]:
        if name not in published:
            raise dns.resolver.NXDOMAIN
        return [SimpleNamespace(strings=published[name])]

    monkeypatch.setattr("dns.resolver.resolve", resolve)
    salus("keys", "dkim", "keyed.example", "--organization", clinic.slug)
    code, out, _ = salus("keys", "rotate", "dkim", "--organization", clinic.slug)
    assert (code, out.count("._domainkey.keyed.example TXT v=DKIM1")) == (0, 2)
    assert salus("keys", "dkim", "keyed.example", "--organization", clinic.slug)[1].count(" TXT ") == 4
    activate = ("keys", "activate-dkim", "--organization", clinic.slug)
    code, _, err = salus(*activate)
    assert (code, "not seen in DNS" in err) == (1, True)
    for line in out.splitlines()[:2]:
        name, txt = line.split(" TXT ")
        published[name] = [txt[:200].encode(), txt[200:].encode()]  # a record is cut into strings of 255
    code, out, _ = salus(*activate)
    assert (code, "sign from now on" in out) == (0, True)
    with acting_for(clinic.id):
        assert {f"{key.selector}._domainkey.keyed.example" for key in keys.dkim_keys("keyed.example")} == set(
            published
        )
    assert salus(*activate, "--confirmed")[0] == 1


def test_who_has_seen_the_records_may_say_so(salus: Salus, clinic: Organization) -> None:
    salus("keys", "dkim", "keyed.example", "--organization", clinic.slug)
    salus("keys", "rotate", "dkim", "--organization", clinic.slug)
    assert salus("keys", "activate-dkim", "--confirmed", "--organization", clinic.slug)[0] == 0


def test_an_organization_is_destroyed_by_its_name_only_and_then_nothing_opens(
    salus: Salus, clinic: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = system(clinic.id, "test")
    with acting_for(clinic.id):
        contacts.merge([patch(email("a@lakepost.test"), mrn="7", city="Olathe")], actor=actor)
        ciphertext, index = keys.sealer().seal(b"x", b""), keys.blinder().blind("email", "a@lakepost.test")
    monkeypatch.setattr("sys.stdin", io.StringIO("Another Clinic\n"))
    assert salus("keys", "destroy-organization", clinic.slug)[0] == 2
    with acting_for(clinic.id):
        assert keys.sealer().open(ciphertext, b"") == b"x"
    monkeypatch.setattr("sys.stdin", io.StringIO("Keyed Clinic\n"))
    code, out, _ = salus("keys", "destroy-organization", clinic.slug)
    assert (code, "were destroyed" in out) == (0, True)
    keys.forget_cached()
    with acting_for(clinic.id):
        assert contacts.count() == 1  # the rows are there, and mean nothing
        for ask in (
            keys.sealer,
            keys.blinder,
            keys.audience_file_key,
            lambda: contacts.open_fields(numbers=[1], fields=["city"], purpose="treatment", actor=actor),
            lambda: contacts.find_by_address(Channel.EMAIL, "a@lakepost.test"),
            lambda: keys.seal_token("click", b"1", lifetime=timedelta(hours=1)),
            lambda: keys.rotate("data", actor=actor),
        ):
            with pytest.raises(NotFound, match="destroyed"):
                ask()
        assert index
        assert {bytes(row.wrapped) for row in KeyRow.objects.exclude(kind="checkpoint")} == {b""}
    out = salus("keys", "list", "--organization", clinic.slug)[1]
    assert [line.split()[-3] for line in out.splitlines()].count("destroyed") == 4
