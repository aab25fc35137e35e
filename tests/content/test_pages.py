"""The template pages: write, look, save, classify, review; and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from salus.contacts import api as contacts
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.content import api
from salus.identity.contracts import Role
from salus.kernel.acting import system
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel
from salus.platform.tenancy import acting_for
from tests.browser import assert_accessible, assert_no_sideways_scroll, keep_picture, sign_in

from .desk import page

CLASSIFIED = {
    "purpose": "newsletter",
    "topic": "newsletter",
    "promotes": "nothing",
    "remuneration": "none",
}


def prepare(organization: Any, starter: str = "a1c_check") -> tuple[UUID, UUID]:
    """Make a template from a starter; return its id and the id of its English version."""
    with acting_for(organization.id):
        actor = system(organization.id, "test")
        found = next(one for one in api.starters() if one.key == starter)
        template_id = api.create_template(found.name, actor=actor)
        ids = [
            api.save_version(
                template_id, language=draft.language, subject=draft.subject, preheader=draft.preheader,
                mjml=draft.mjml, actor=actor,
            ).id
            for draft in found.drafts.values()
        ]  # fmt: skip
    return template_id, ids[0]


def add_rosa(organization: Any) -> UUID:
    patch = ContactPatch(
        identifiers=(Identifier("mrn", Phi("CR-4711")),),
        addresses=(
            Address(
                Channel.EMAIL,
                Phi("rosalba@patients.example.org"),
                AddressSource.CLINICAL_ENCOUNTER,
                "visit",
                None,
            ),
        ),
        values={"given_name": "Rosalba", "birth_date": "1961-11-25"},
    )
    with acting_for(organization.id):
        [merged] = contacts.merge([patch], actor=system(organization.id, "test"))
    assert merged.contact_id is not None
    return merged.contact_id


def test_an_author_makes_a_template_from_a_starter(console: Any) -> None:
    client = console.client("author")
    assert client.get("/templates/").status_code == 200
    answer = client.post("/templates/new/", {"name": "Our news", "start": "newsletter"}, follow=True)
    assert b"Our news" in answer.content
    with acting_for(console.organization.id):
        [made] = api.templates()
        assert set(made.newest) == {"en", "es"}


def test_a_wrong_name_keeps_what_was_chosen(console: Any) -> None:
    answer = console.client("author").post("/templates/new/", {"name": " ", "start": "newsletter"})
    assert b"This field is required" in answer.content
    assert b'value="newsletter"' in answer.content
    assert b"checked" in answer.content


def test_a_draft_with_a_problem_is_shown_again_with_every_problem_and_every_word(console: Any) -> None:
    template_id, _ = prepare(console.organization)
    client = console.client("author")
    typed = {
        "subject": "Your A1c",
        "preheader": "",
        "mjml": page("x\n{{ contact.nothing }} <b>"),
        "text": "",
        "act": "save",
    }
    answer = client.post(f"/templates/{template_id}/edit/en/", typed)
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "“A1c” tells a condition." in shown
    assert "line 2: There is no field contact.nothing" in shown
    assert "{{ contact.nothing }} &lt;b&gt;" in shown
    with acting_for(console.organization.id):
        assert len(api.versions(template_id)) == 2


def test_a_good_draft_becomes_the_next_version(console: Any) -> None:
    template_id, _ = prepare(console.organization)
    client = console.client("author")
    typed = {"subject": "A note", "preheader": "", "mjml": page("Hi"), "text": "", "act": "save"}
    answer = client.post(f"/templates/{template_id}/edit/en/", typed, follow=True)
    assert b"Saved as version 2." in answer.content
    typed["act"] = "check"
    answer = client.post(f"/templates/{template_id}/edit/en/", typed)
    assert b"Nothing is wrong." in answer.content
    with acting_for(console.organization.id):
        assert len(api.versions(template_id)) == 3


def test_the_panel_answers_while_somebody_writes(console: Any) -> None:
    template_id, _ = prepare(console.organization)
    client = console.client("author")
    answer = client.post(
        f"/templates/{template_id}/edit/en/panel/", {"subject": "A", "mjml": page("{{ contact.pregnant }}")}
    )
    assert b"Pregnant" in answer.content
    assert b"Reproductive" in answer.content
    assert b"<html" not in answer.content


def test_previews_can_do_nothing_to_our_pages(console: Any) -> None:
    template_id, version_id = prepare(console.organization)
    client = console.client("author")
    answers = [
        client.get(f"/templates/version/{version_id}/preview/html/"),
        client.get(f"/templates/version/{version_id}/preview/plain/"),
        client.post(
            f"/templates/{template_id}/edit/en/preview/",
            {"subject": "A", "mjml": page("Hi {{ contact.given_name }}")},
        ),
        client.post(f"/templates/{template_id}/edit/en/preview/", {"subject": "A1c", "mjml": page("Hi")}),
    ]
    for answer in answers:
        assert answer.status_code == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "sandbox" in policy
        assert "script-src" not in policy
        assert "default-src 'none'" in policy
    assert b"Hi Rosa" in answers[2].content
    assert b"One problem is in the way" in answers[3].content


def test_seeing_it_as_a_person_needs_the_right_and_is_recorded(console: Any) -> None:
    from salus.audit import api as audit

    _, version_id = prepare(console.organization)
    add_rosa(console.organization)
    address = f"/templates/version/{version_id}/preview-as/"
    assert console.client("author").post(address, {"who": "CR-4711"}).status_code == 404
    client = console.client("privacy_officer")
    for who in ("CR-4711", "rosalba@patients.example.org"):
        answer = client.post(address, {"who": who})
        assert b"Hello Rosalba," in answer.content
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    for who in ("nobody@patients.example.org", "CR-0", "", "not an @ddress"):
        answer = client.post(address, {"who": who})
        assert b"Hello" not in answer.content
        assert answer.status_code == 200
    with acting_for(console.organization.id):
        purposes = [
            entry.purpose for entry in audit.entries(limit=50) if entry.action == "contacts:phi:reveal"
        ]
    assert purposes == ["preview", "preview"]


def test_an_author_proposes_and_a_reviewer_confirms(console: Any) -> None:
    _, version_id = prepare(console.organization, "newsletter")
    author, officer = console.client("author"), console.client("privacy_officer")
    answer = author.post(f"/templates/version/{version_id}/classify/", CLASSIFIED, follow=True)
    assert b"Waits for review" in answer.content
    assert b"You wrote this, so somebody else approves it." in answer.content
    assert author.post(f"/templates/version/{version_id}/confirm/").status_code == 404
    answer = officer.post(f"/templates/version/{version_id}/confirm/", follow=True)
    assert b"Confirmed" in answer.content
    with acting_for(console.organization.id):
        classification = api.version(version_id).classification
        assert classification is not None
        assert classification.confirmed_by is not None


def test_a_reviewer_sends_it_back_with_a_note(console: Any) -> None:
    _, version_id = prepare(console.organization, "newsletter")
    console.client("author").post(f"/templates/version/{version_id}/classify/", CLASSIFIED)
    answer = console.client("privacy_officer").post(
        f"/templates/version/{version_id}/decline/", {"note": "It promotes <b>the gym</b>."}, follow=True
    )
    assert b"It promotes &lt;b&gt;the gym&lt;/b&gt;." in answer.content
    assert b"Not classified" in answer.content


def test_an_unsound_proposal_keeps_what_was_typed(console: Any) -> None:
    _, version_id = prepare(console.organization)
    answer = console.client("author").post(
        f"/templates/version/{version_id}/classify/",
        {**CLASSIFIED, "purpose": "condition_education", "payer": "Acme"},
    )
    assert answer.status_code == 422
    assert b"Say which condition it is about." in answer.content
    assert b"There is a payer, but nothing is paid." in answer.content
    assert b'value="Acme"' in answer.content


@pytest.mark.parametrize("role", list(Role))
def test_every_role_finds_what_it_may(console: Any, role: Role) -> None:
    from salus.identity import api as identity

    template_id, version_id = prepare(console.organization)
    may = {permission.value for permission in identity.permissions_of([role])}
    client = console.client(role)
    for address, needed in {
        "/templates/": "content:template:read",
        f"/templates/{template_id}/": "content:template:read",
        f"/templates/version/{version_id}/": "content:template:read",
        f"/templates/version/{version_id}/preview/html/": "content:template:read",
        "/templates/new/": "content:template:edit",
        f"/templates/{template_id}/edit/es/": "content:template:edit",
        "/templates/domains/": "organization:settings:read",
    }.items():
        assert client.get(address).status_code == (200 if needed in may else 404), address


def test_an_outsider_finds_nothing(console: Any, make_clinic: Callable[..., Any]) -> None:
    template_id, version_id = prepare(make_clinic())
    author, officer = console.client("author"), console.client("privacy_officer")
    for address in (
        f"/templates/{template_id}/",
        f"/templates/{template_id}/edit/en/",
        f"/templates/version/{version_id}/",
        f"/templates/version/{version_id}/preview/html/",
    ):
        assert author.get(address).status_code == 404
    draft = {"subject": "A", "mjml": page("Hi"), "act": "save"}
    assert author.post(f"/templates/{template_id}/edit/en/", draft).status_code == 404
    assert author.post(f"/templates/{template_id}/edit/en/panel/", draft).status_code == 404
    assert author.post(f"/templates/{template_id}/edit/en/preview/", draft).status_code == 404
    assert author.post(f"/templates/version/{version_id}/classify/", CLASSIFIED).status_code == 404
    assert officer.post(f"/templates/version/{version_id}/confirm/").status_code == 404
    assert officer.post(f"/templates/version/{version_id}/decline/").status_code == 404
    assert b"The starter" not in author.get("/templates/").content


def test_languages_that_salus_does_not_write_are_not_there(console: Any) -> None:
    template_id, _ = prepare(console.organization)
    assert console.client("author").get(f"/templates/{template_id}/edit/fr/").status_code == 404


def test_an_administrator_keeps_the_domains(console: Any) -> None:
    client = console.client("administrator")
    answer = client.post("/templates/domains/", {"domain": "www.cedar-row.example.net"}, follow=True)
    assert b"www.cedar-row.example.net" in answer.content
    answer = client.post("/templates/domains/", {"domain": "not a domain"})
    assert b"This is not a domain name." in answer.content
    answer = client.post("/templates/domains/", {"remove": "www.cedar-row.example.net"}, follow=True)
    assert b"www.cedar-row.example.net" not in answer.content
    assert (
        console.client("auditor").post("/templates/domains/", {"domain": "a.example.net"}).status_code == 404
    )


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_hold_at_both_widths(console: Any, page_at: Callable[..., Any], width: int) -> None:
    template_id, version_id = prepare(console.organization)
    browser = page_at(width)
    sign_in(browser, "author")
    for name, address in {
        "templates-new": "/templates/new/",
        "template-edit": f"/templates/{template_id}/edit/en/",
        "template-version": f"/templates/version/{version_id}/",
        "templates": "/templates/",
    }.items():
        browser.goto(console.url + address)
        if name in {"template-edit", "template-version"}:
            browser.frame_locator("iframe").get_by_text("Hello Rosa").wait_for()
        assert_accessible(browser)
        assert_no_sideways_scroll(browser)
        keep_picture(browser, name)
    client = console.client("author")
    client.post(
        f"/templates/version/{version_id}/classify/",
        {**CLASSIFIED, "purpose": "condition_education", "conditions": "vs:diabetes, E11"},
    )
    sign_in(browser, "privacy_officer")
    browser.goto(f"{console.url}/templates/version/{version_id}/")
    assert_accessible(browser)
    assert_no_sideways_scroll(browser)
    keep_picture(browser, "template-review")


@pytest.mark.browser
def test_writing_shows_what_it_looks_like_and_what_it_tells(
    console: Any, page_at: Callable[..., Any]
) -> None:
    template_id, _ = prepare(console.organization, "newsletter")
    browser = page_at(1280)
    sign_in(browser, "author")
    browser.goto(f"{console.url}/templates/{template_id}/edit/en/")
    browser.get_by_label("MJML").fill(
        page("Dear {{ contact.given_name }}, {% if contact.pregnant %}both of you{% endif %}")
    )
    browser.frame_locator("iframe").get_by_text("Dear Rosa,").wait_for()
    browser.get_by_text("only tested, which tells it too").wait_for()
    browser.get_by_label("Subject").fill("Your diabetes")
    browser.get_by_text("“diabetes” tells a condition.").wait_for()
    keep_picture(browser, "template-problems")
    browser.get_by_label("Subject").fill("A note")
    browser.get_by_text("Nothing is wrong.").wait_for()
    browser.get_by_role("button", name="Save as version 2").click()
    browser.get_by_text("Saved as version 2.").wait_for()


@pytest.mark.browser
def test_everything_works_without_scripts(console: Any, page_at: Callable[..., Any]) -> None:
    template_id, _ = prepare(console.organization, "newsletter")
    browser = page_at(1280, javascript=False)
    sign_in(browser, "author")
    browser.goto(f"{console.url}/templates/{template_id}/edit/en/")
    browser.get_by_label("MJML").fill(page("Dear {{ contact.given_name }}"))
    browser.get_by_role("button", name="Show what it looks like").click()
    browser.frame_locator("iframe").get_by_text("Dear Rosa").wait_for()
    browser.get_by_role("button", name="Check").click()
    browser.get_by_text("Nothing is wrong.").wait_for()
    browser.get_by_role("button", name="Save as version 2").click()
    browser.get_by_text("Saved as version 2.").wait_for()
