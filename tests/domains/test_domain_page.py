"""The page of the sending domain, `salus domain check`, and the policy file that others fetch: one judgement, three ways."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from salus.delivery import asking_dns
from salus.domains import api, ports
from salus.domains.contracts import Installation, Purpose, Seen
from salus.identity import api as identity
from salus.identity.contracts import Permission, Role
from salus.kernel.acting import system
from salus.kernel.time import SystemClock
from salus.keys import api as keys
from salus.platform.tenancy import acting_for
from salus.wiring.cli import main
from salus.wiring.setup import facts
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)
from tests.setup.names import name_server

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = "/settings/sending-domain/"
DOMAIN = "mail.cedar-row.example.org"
HOST = "bounces.cedar-row.example.org"
HERE = Installation(spf="ip4:192.0.2.7", inbound_host=HOST, takes_mail=True, addresses=("192.0.2.7",))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be an installation with a listener; a command is given its ports anew."""
    before = facts.describe
    monkeypatch.setattr(facts, "describe", lambda: HERE)
    ports.use_installation(facts.describe)
    yield
    ports.use_installation(before)


def published(console: Console) -> dict[str, list[str]]:
    """Return a zone that has everything but a DMARC record that is enforced."""
    with acting_for(console.organization.id):
        asked = api.records()
    zone = {
        each.name: [each.value] for each in asked if each.kind == "TXT" and each.purpose is not Purpose.BIMI
    }
    zone[f"_dmarc.{DOMAIN}"] = ["v=DMARC1; p=none; rua=mailto:dmarc@cedar-row.example.org"]
    return zone | {
        f"{DOMAIN} MX": [f"10 {HOST}."],
        f"{HOST} A": ["192.0.2.7"],
        "7.2.0.192.in-addr.arpa PTR": [f"{HOST}."],
    }


@pytest.fixture
def zone(console: Console, here: None, settings: Any) -> Iterator[None]:
    with name_server(published(console)) as address:
        settings.SALUS_NAMESERVER = address
        yield


@pytest.mark.parametrize("role", list(Role))
def test_who_may_read_the_settings_sees_the_records(console: Console, role: Role) -> None:
    shown = console.client(role).get(PAGE)
    may = Permission.ORGANIZATION_SETTINGS_READ in identity.permissions_of([role])
    assert shown.status_code == (200 if may else 404)
    if may:
        assert b"DNS is not asked for a demo" in shown.content
        assert f"_dmarc.{DOMAIN}".encode() in shown.content


def test_the_command_says_what_to_mend_and_fails_by_weight(
    console: Console, zone: None, capsys: pytest.CaptureFixture[str]
) -> None:
    slug = console.organization.slug
    words = ["domain", "check", "--organization", slug]
    assert main([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["fine"]
    seen = {each["purpose"]: each["seen"] for each in said["records"]}
    assert seen["MTA-STS policy"] == "missing"
    assert {purpose for purpose, each in seen.items() if each != "there"} == {"MTA-STS policy", "BIMI"}
    assert main([*words, "--fail-on", "low"]) == 1
    out = capsys.readouterr().out
    assert "MISSING MTA-STS policy (low)" in out
    assert "mode: testing" in out
    assert "only watches" in out
    assert main([*words, "other.example.org"]) == 1, "nothing is published there"
    assert "other.example.org: " in capsys.readouterr().out
    assert main([*words, "no domain"]) == 2


def test_the_addresses_of_pools_that_the_clinic_s_mail_leaves_from_are_asked_for(
    console: Console, settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SALUS_HOME = tmp_path
    slug = console.organization.slug

    def pool(name: str, serves: str, *addresses: str) -> str:
        listed = ", ".join(f'"{each}"' for each in addresses)
        return (
            f'[pool.{name}]\norganizations = ["{serves}"]\n'
            f'[[pool.{name}.source]]\nname = "{name}.clinic.example"\naddresses = [{listed}]\n'
        )

    (tmp_path / "shaping.toml").write_text(
        pool("ours", slug, "192.0.2.21", "2001:db8::21")
        + pool("inner", slug, "10.0.0.5")
        + pool("theirs", "others", "192.0.2.22")
        + pool("spare", "nobody", "192.0.2.23")
        + '[[default.on]]\nid = "x"\nmatch = "x"\ndo = "switch"\nto = "spare"\nfor = "1 h"\n'
    )
    with acting_for(console.organization.id):
        described = facts.describe()
    assert described.sources == (
        ("192.0.2.21", "ours.clinic.example"),
        ("2001:db8::21", "ours.clinic.example"),
        ("192.0.2.23", "spare.clinic.example"),
    )
    with name_server({"21.2.0.192.in-addr.arpa PTR": ["ours.clinic.example."]}) as address:
        settings.SALUS_NAMESERVER = address
        main(["domain", "check", "--organization", slug, "--json"])
        said = json.loads(capsys.readouterr().out)["records"]
        found = {each["name"]: each["seen"] for each in said if each["purpose"] == "PTR"}
        assert found == {"192.0.2.21": "wrong", "2001:db8::21": "missing", "192.0.2.23": "missing"}
        shown = console.client("administrator").get(PAGE).content.decode()
        assert "ours.clinic.example does not lead back to the address" in shown
    (tmp_path / "shaping.toml").write_text("[pool.broken]\n")
    with acting_for(console.organization.id):
        assert facts.describe().sources == (), "the doctor tells of a plan that cannot be"


def test_the_next_keys_are_to_be_published_before_they_sign(console: Console, zone: None) -> None:
    with acting_for(console.organization.id):
        keys.rotate_dkim(DOMAIN, actor=system(console.organization.id, "test"))
        found = api.check(SystemClock().now())
    seen = [(each.record.purpose, each.seen) for each in found if "_domainkey" in each.record.name]
    assert seen == [(Purpose.DKIM, Seen.THERE)] * 2 + [(Purpose.NEXT_DKIM, Seen.MISSING)] * 2


def test_the_policy_file_is_there_for_our_domains_only(console: Console, here: None) -> None:
    client = Client()
    path = "/.well-known/mta-sts.txt"
    served = client.get(path, headers={"host": f"mta-sts.{DOMAIN}"})
    assert (served.status_code, served["Content-Type"]) == (200, "text/plain")
    assert served.content.decode() == (
        f"version: STSv1\r\nmode: testing\r\nmx: {HOST}\r\nmax_age: 604800\r\n"
    )
    assert client.get(path, headers={"host": "mta-sts.stranger.example"}).status_code == 404
    assert client.get(path, headers={"host": "localhost"}).status_code == 404
    assert client.get("/", headers={"host": f"mta-sts.{DOMAIN}"}).status_code == 400, (
        "it is no other address of ours"
    )
    assert client.post(path, headers={"host": f"mta-sts.{DOMAIN}"}).status_code == 400


def test_a_policy_file_is_fetched_only_over_verified_tls(
    console: Console, settings: Any, monkeypatch: Any
) -> None:
    now = SystemClock().now()
    with name_server({f"mta-sts.{DOMAIN} A": ["127.0.0.1"]}) as address:
        monkeypatch.setattr(asking_dns, "PORT", 9)  # nobody is there
        assert asking_dns.policy_file(DOMAIN, now, address).reason == "unreachable"
        assert asking_dns.policy_file("x.example", now, address).reason == "no_such_host"
        monkeypatch.setattr(asking_dns, "laboratory", lambda: False)
        assert asking_dns.policy_file(DOMAIN, now, address).reason == "private_address"


@pytest.mark.browser
def test_the_page_shows_what_to_publish_and_copies_it(
    console: Console, zone: None, page_at: Callable[..., Page]
) -> None:
    from playwright.sync_api import expect

    page = page_at(WIDE)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, "administrator")
    page.goto(console.url + PAGE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sending domain")
    expect(page.get_by_text("DMARC only watches")).to_be_visible()
    button = page.get_by_role("button", name=re.compile("Copy ?: DMARC at"))
    button.click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("v=DMARC1; p=reject")
    expect(page.get_by_text("Copied")).to_have_count(0)
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        keep_picture(page, "sending-domain")
