"""Sign-on in a real browser, to a real provider and back; and the pages and the command that describe it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test.utils import override_settings
from playwright.sync_api import Page, expect

from salus.audit import api as audit
from salus.audit.contracts import Filters
from salus.identity import providers
from salus.identity.contracts import Organization, Role
from salus.identity.models import ProviderRow
from salus.identity.providers import Protocol
from salus.platform.tenancy import acting_for
from salus.wiring import cli
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)
from tests.identity.clinic_sign_on import SECRET, open_clinic, register
from tests.identity.idp import NURSE, Idp

PageAt = Callable[..., Page]
CHANGES = (
    "/settings/sign-on/new/oidc",
    "/settings/sign-on/{}",
    "/settings/sign-on/{}/switch",
    "/settings/sign-on/{}/remove",
)


@pytest.fixture(autouse=True)
def here(console: Console) -> Iterator[None]:
    """Providers send people back to the public address: in a test that is the server's."""
    with override_settings(SALUS_PUBLIC_URL=console.url):
        yield


def looks_right(page: Page, name: str) -> None:
    keep_picture(page, name)
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@pytest.mark.browser
@pytest.mark.parametrize(("protocol", "width"), [(Protocol.OIDC, WIDE), (Protocol.SAML, NARROW)])
def test_a_nurse_signs_on_by_her_organization_and_leaves(
    console: Console,
    make_clinic: Callable[..., Organization],
    idp: Idp,
    page_at: PageAt,
    protocol: Protocol,
    width: int,
) -> None:
    make_clinic("Harbor Clinic", demo=False)
    open_clinic(console.organization, idp, protocol, home=console.url)
    email = f"{console.organization.slug}@cedar-row.example"
    acr = "https://refeds.org/profile/mfa"
    idp.say(person={**NURSE, "sub": email, "email": email, "acr": acr})
    page = page_at(width)
    page.goto(console.url + "/sign-in?next=/account")
    page.get_by_role("link", name="Sign in with your organization's account").click()
    page.get_by_label("short name").fill("nobody-here")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("No organization of this name")
    looks_right(page, f"sign on which {protocol}")
    page.get_by_label("short name").fill(console.organization.slug)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Cedar Row Clinic")).to_be_visible()
    looks_right(page, f"sign on {protocol}")
    page.get_by_role("link", name="Sign in with Harbor").click()
    expect(page.get_by_role("heading", name="Nadia Brandt")).to_be_visible()
    assert page.url == console.url + "/account"
    idp.say(person={**NURSE, "sub": "new", "email": "new@cedar-row.example", "groups": ["unheard-of"]})
    page.context.clear_cookies()
    page.goto(f"{console.url}/sign-on?organization={console.organization.slug}")
    page.get_by_role("link", name="Sign in with Harbor").click()
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    looks_right(page, f"sign on refused {protocol}")


@pytest.mark.browser
def test_who_leaves_the_provider_is_signed_out_here_too(console: Console, idp: Idp, page_at: PageAt) -> None:
    clinic = open_clinic(console.organization, idp, Protocol.OIDC, home=console.url)
    email = f"{console.organization.slug}@cedar-row.example"
    idp.say(person={**NURSE, "sub": email, "email": email})
    page = page_at(WIDE)
    page.goto(f"{console.url}{clinic.start}?next=/account")
    expect(page.get_by_role("heading", name="Nadia Brandt")).to_be_visible()
    page.goto(f"{console.url}{clinic.start}/out")
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(console.url + "/account")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    with acting_for(console.organization.id):
        (entry,) = audit.entries(Filters(action="identity:staff:sign_out"))
    assert entry.reason == "provider"
    refused = clinic.client().post(clinic.start + "/ended", {"logout_token": "no token"})
    assert refused.status_code == 400
    assert clinic.refusals() == ["unreadable"]


@pytest.mark.browser
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_an_administrator_describes_a_provider_and_switches_it_on(
    console: Console, idp: Idp, page_at: PageAt, width: int
) -> None:
    page = page_at(width)
    sign_in(page, Role.ADMINISTRATOR)
    page.goto(console.url + "/settings/sign-on")
    expect(page.get_by_text("No provider yet")).to_be_visible()
    page.get_by_role("link", name="OpenID Connect").click()
    page.get_by_label("Name", exact=True).fill("Harbor")
    page.get_by_label("Issuer").fill("http://id.harbor.example")
    page.get_by_label("Client ID").fill("salus")
    page.get_by_label("Client secret").fill(SECRET)
    page.get_by_label("E-mail domains").fill("cedar-row.example\ncedar-row.example.org")
    page.get_by_label("Care coordinator").fill("clinic-nurses")
    page.get_by_label("Analyst").fill("clinic-nurses")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("clinic-nurses gives Analyst already")).to_be_visible()
    page.get_by_label("Analyst").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Write an address that begins with https://")).to_be_visible()
    looks_right(page, "provider refused")
    page.get_by_label("Issuer").fill(idp.origin)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Harbor")).to_be_visible()
    expect(page.get_by_text("Until then nobody signs on by it.")).to_be_visible()
    assert SECRET not in page.content()
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("button", name="Switch it off")).to_be_visible()
    looks_right(page, "provider")
    with acting_for(console.organization.id):
        register(console.organization, idp.origin)
    page.goto(console.url + "/settings/sign-on")
    expect(page.get_by_text("On", exact=True)).to_be_visible()
    looks_right(page, "providers")
    page.get_by_role("link", name="Harbor").click()
    page.get_by_role("button", name="Switch it off").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("No provider yet")).to_be_visible()


def test_the_secret_is_sealed_and_stays_when_nothing_is_typed(console: Console, idp: Idp) -> None:
    clinic = open_clinic(console.organization, idp, Protocol.OIDC)
    clinic.change(client_secret="", name="Harbor again")
    with acting_for(console.organization.id):
        assert providers.get(clinic.provider_id).client_secret == SECRET
        assert SECRET.encode() not in bytes(ProviderRow.objects.get().sealed)


def test_nobody_else_sees_or_changes_providers(
    console: Console, idp: Idp, make_clinic: Callable[..., Organization]
) -> None:
    theirs = open_clinic(make_clinic(), idp, Protocol.OIDC).provider_id
    ours = open_clinic(console.organization, idp, Protocol.OIDC).provider_id
    for role in set(Role) - {Role.ADMINISTRATOR}:
        client = console.client(role)
        assert client.get("/settings/sign-on").status_code == 404
        assert [client.post(path.format(ours)).status_code for path in CHANGES] == [404] * 4
    administrator = console.client(Role.ADMINISTRATOR)
    for path in CHANGES[1:]:
        assert administrator.post(path.format(theirs), {"active": "no"}).status_code == 404
    assert administrator.get("/settings/sign-on/new/telepathy").status_code == 404
    assert administrator.get(f"/sign-on/{console.organization.slug}/{theirs}").status_code == 404


def test_metadata_that_describe_nobody_are_refused_with_the_form_kept(console: Console) -> None:
    given = {"name": "Harbor", "domains": "cedar-row.example", "role_claim": "groups", "metadata": "<a/>"}
    page = console.client(Role.ADMINISTRATOR).post("/settings/sign-on/new/saml", given).content.decode()
    assert "describe no identity provider" in page
    assert 'value="Harbor"' in page


def test_an_answer_from_another_site_is_sent_again_from_ours(console: Console, idp: Idp) -> None:
    clinic = open_clinic(console.organization, idp, Protocol.SAML)
    page = clinic.client().post("/sign-on/saml", {"SAMLResponse": '"><script>'}).content.decode()
    assert 'value="&quot;&gt;&lt;script&gt;"' in page
    assert clinic.client().post("/sign-on/saml", {"again": "yes"}).status_code == 403
    metadata = clinic.client().get(f"/sign-on/saml/{clinic.provider_id}")
    assert metadata["Content-Type"] == "application/samlmetadata+xml"
    assert console.url in metadata.content.decode()


def test_the_command_describes_turns_and_lists(
    console: Console, idp: Idp, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setattr(cli, "setup", lambda: None)
    (tmp_path / "secret").write_text(SECRET + "\n")
    (tmp_path / "metadata.xml").write_text(idp.metadata())

    def salus(word: str, *words: str) -> tuple[int, str]:
        code = cli.main(["sign-on", word, "--organization", console.organization.slug, *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    whom = ("--name", "Harbor", "--domain", "cedar-row.example")
    oidc = ("--issuer", idp.origin, "--client-id", "salus", "--client-secret-file", str(tmp_path / "secret"))
    code, said = salus("oidc", *whom, *oidc, "--map", "clinic=nurses=care_coordinator")
    assert code == 0
    assert f"Redirect address: {console.url}/sign-on/oidc" in said
    assert salus("saml", *whom, "--metadata", str(tmp_path / "metadata.xml"))[0] == 0
    assert salus("oidc", *whom, *oidc, "--map", "nurses=king") == (
        2,
        "salus: roles: There is no role 'king'.\n",
    )
    assert salus("oidc", *whom, *oidc, "--map", "nurses")[0] == 2
    assert salus("off", "--name", "Nobody")[0] == 1
    assert salus("on", "--name", "Harbor")[0] == 0
    listed = salus("list")[1]
    assert "clinic=nurses -> Care coordinator" in listed
    assert "stopped: There is no such service" in listed
    assert salus("remove", "--name", "Harbor")[0] == 0
    assert salus("list") == (0, "")
