"""A ready journey becomes a draft: what is made, what is used again, who may, and its page and command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from salus.audiences import api as audiences
from salus.content import api as content
from salus.identity.contracts import Organization, Role
from salus.journeys import api
from salus.journeys.contracts import Send, VersionStatus
from salus.journeys.gallery import reading
from salus.kernel.acting import Actor, system
from salus.kernel.errors import NotFound
from salus.kernel.time import SystemClock
from salus.platform.tenancy import acting_for
from salus.wiring import cli
from tests import browser
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)
from tests.delivery import office

CLOCK = SystemClock()


@pytest.fixture
def clinic(make_clinic: Callable[..., Organization]) -> Organization:
    return make_clinic()


def staff(clinic: Organization, role: Role) -> Actor:
    with acting_for(clinic.id):
        return office.staff(clinic, role)


def made(clinic: Organization) -> tuple[int, int, int]:
    """Return how many journeys, templates and segments there are."""
    with acting_for(clinic.id):
        return len(api.journeys()), len(content.templates()), len(audiences.segments())


def test_it_is_a_draft_whose_letters_wait_for_somebody_else(clinic: Organization) -> None:
    marketer, officer = staff(clinic, Role.MARKETER), staff(clinic, Role.PRIVACY_OFFICER)
    with acting_for(clinic.id):
        version = api.add_ready("re_engagement", actor=marketer, clock=CLOCK)
        assert version.status is VersionStatus.DRAFT
        assert {each.code for each in api.check(version.graph).findings} == {"not_confirmed"}
        for step in version.graph.steps.values():
            for id in step.does.versions.values() if isinstance(step.does, Send) else ():
                assert content.version(id).name == reading.read("re_engagement").templates[step.key].name
                content.confirm_classification(id, actor=officer)
        assert not api.check(version.graph).findings
        [segment] = audiences.segments()
    assert segment.name.reveal() == "Overdue for a visit"


def test_letters_link_to_the_clinics_own_site(clinic: Organization) -> None:
    marketer = staff(clinic, Role.MARKETER)
    with acting_for(clinic.id):
        content.add_own_domain("www.cedar-row.example.org", actor=system(clinic.id, "test"))
        version = api.add_ready("payment", actor=marketer, clock=CLOCK)
        send = version.graph.steps["statement"].does
        assert isinstance(send, Send)
        sources = content.version(send.versions["es"]).sources
    assert sources is not None
    assert {link.url for link in sources.links} == {"https://www.cedar-row.example.org/statement"}


def test_added_again_it_is_another_journey_with_the_same_letters_and_segments(clinic: Organization) -> None:
    marketer = staff(clinic, Role.MARKETER)
    with acting_for(clinic.id):
        first = api.add_ready("recommendation", actor=marketer, clock=CLOCK)
        before = made(clinic)
        second = api.add_ready("recommendation", actor=marketer, clock=CLOCK)
    assert first.journey_id != second.journey_id
    assert first.graph == second.graph
    assert made(clinic) == (before[0] + 1, *before[1:])


def test_a_letter_that_was_changed_is_left_alone_and_a_new_one_is_made(clinic: Organization) -> None:
    marketer = staff(clinic, Role.MARKETER)
    with acting_for(clinic.id):
        api.add_ready("milestone", actor=marketer, clock=CLOCK)
        changed = next(each for each in content.templates() if each.name == "Milestone: birthday")
        old = changed.newest["en"]
        content.save_version(
            changed.id, language="en", subject="Ours", mjml=old.mjml, preheader="", actor=marketer
        )
        api.add_ready("milestone", actor=marketer, clock=CLOCK)
        names = [each.name for each in content.templates()]
    assert names.count("Milestone: birthday") == 2
    assert names.count("Milestone: another year together") == 1


def test_the_journey_that_it_leads_to_comes_with_it_once(clinic: Organization) -> None:
    marketer = staff(clinic, Role.MARKETER)
    with acting_for(clinic.id):
        api.add_ready("milestone", actor=marketer, clock=CLOCK)
        api.add_ready("milestone", actor=marketer, clock=CLOCK)
        names = [each.name.reveal() for each in api.journeys()]
    assert names.count(reading.read("screening_recall").name) == 1
    assert names.count(reading.read("milestone").name) == 2


@pytest.mark.parametrize("role", [Role.AUTHOR, Role.CARE_COORDINATOR, Role.PRIVACY_OFFICER, Role.ANALYST])
def test_who_may_not_write_letters_segments_and_journeys_adds_none(clinic: Organization, role: Role) -> None:
    somebody = staff(clinic, role)
    with acting_for(clinic.id), pytest.raises(NotFound):
        api.add_ready("payment", actor=somebody, clock=CLOCK)
    assert made(clinic) == (0, 0, 0)


def test_a_key_that_is_not_there_makes_nothing(clinic: Organization) -> None:
    with acting_for(clinic.id), pytest.raises(NotFound):
        api.add_ready("weight_loss", actor=system(clinic.id, "test"), clock=CLOCK)
    assert made(clinic) == (0, 0, 0)


# The command


def test_a_program_adds_it_and_proposes_nothing(
    clinic: Organization, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "setup", lambda: None)
    where = ["--organization", clinic.slug]
    assert cli.main(["journey", "gallery"]) == 0
    assert "lab_result: Lab result ready" in capsys.readouterr().out
    assert cli.main(["journey", "gallery", "add", *where]) == 2
    assert "Name the journey to add" in capsys.readouterr().err
    assert cli.main(["journey", "gallery", "add", "nothing", *where]) == 1
    assert cli.main(["journey", "gallery", "add", "lab_result", *where]) == 0
    said = capsys.readouterr().out
    assert "propose lab_result_or_portal_notice, topic “results”" in said
    with acting_for(clinic.id):
        [journey] = api.journeys()
        assert str(journey.id) in said
        assert {each.classification for one in content.templates() for each in one.newest.values()} == {None}


# The page


@pytest.mark.browser
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_marketer_starts_from_a_ready_one(
    console: Console, page_at: Callable[..., Page], width: int
) -> None:
    page = page_at(width)
    sign_in(page, "marketer")
    page.goto(f"{console.url}/journeys/")
    page.get_by_role("link", name="Start from a ready journey").click()
    expect(page.locator("main").get_by_role("heading", level=2)).to_have_count(14)
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "journeys gallery")
    page.get_by_role("button", name="Use this one “Lab result ready”").click()
    expect(page.get_by_text("It is yours now.")).to_be_visible()
    with acting_for(console.organization.id):
        [journey] = api.journeys()
    assert journey.name.reveal() == "Lab result ready"
    assert page.url.startswith(f"{console.url}/journeys/{journey.id}")


def test_who_may_only_read_sees_them_and_adds_none(
    web_server: str, clinic: Organization, make_clinic: Callable[..., Any]
) -> None:
    console = Console(web_server, clinic)
    browser.use(console)
    try:
        client = console.client("auditor")
        page = client.get("/journeys/ready").content.decode()
        assert "Lab result ready" in page
        assert "Use this one" not in page
        assert client.post("/journeys/ready/lab_result").status_code == 404
        assert Client().get("/journeys/ready").status_code in {302, 404}
    finally:
        browser.use(None)
    assert made(clinic) == (0, 0, 0)
