"""The page, the command and the set-up of how long what is kept: who may, what is asked first, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.domains.models import ReportRow
from salus.identity.contracts import Permission, Role
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.retention import api
from salus.retention.contracts import Kind
from salus.retention.web import wording
from salus.wiring.aged import STEPS
from salus.wiring.cli import main
from salus.wiring.setup import questions, steps
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)
from tests.setup.test_first_run import ANSWERS

PAGE = "/privacy/retention/"


@pytest.fixture
def old(console: Console) -> Console:
    """A clinic to which reports came 40 and 200 days ago."""
    api.use_steps(STEPS)
    with acting_for(console.organization.id):
        for days in (40, 200):
            at = timezone.now() - timedelta(days=days)
            ReportRow.objects.create(
                kind="dmarc", blind=new_id().bytes, began_at=at, came_at=at, messages=1, failed=0, sealed=b"x"
            )
    return console


def kept(console: Console, kind: Kind) -> int | None:
    with acting_for(console.organization.id):
        return api.days_of(kind)


def test_every_kind_has_its_words() -> None:
    assert list(wording.KINDS) == list(Kind)
    assert [wording.days(each) for each in (None, 1, 90, 2192)] == [
        "Until its person is erased", "1 day", "90 days", "6 years",
    ]  # fmt: skip


@pytest.mark.parametrize("role", list(Role))
def test_who_reads_settings_sees_it_and_officers_and_administrators_change_it(
    old: Console, role: Role
) -> None:
    client, may = old.client(role), role in (Role.ADMINISTRATOR, Role.PRIVACY_OFFICER)
    from salus.identity import api as identity

    reads = Permission.ORGANIZATION_SETTINGS_READ in identity.permissions_of([role])
    assert client.get(PAGE).status_code == (200 if reads else 404)
    before = kept(old, Kind.REJECTS)
    answered = client.post(PAGE, {"kind": "rejects", "days": "120"})
    assert answered.status_code == (302 if may else 404)
    assert kept(old, Kind.REJECTS) == (120 if may else before)


def test_a_shorter_time_says_first_what_it_empties_and_changes_nothing_until_then(old: Console) -> None:
    client = old.client(Role.PRIVACY_OFFICER)
    asked = client.post(PAGE, {"kind": "mail-reports", "days": "60"})
    assert "This would empty <b>1</b> that ended before" in asked.content.decode()
    assert kept(old, Kind.MAIL_REPORTS) == 400
    sure = client.post(PAGE, {"kind": "mail-reports", "days": "60", "sure": "True"})
    assert sure.status_code == 302
    assert kept(old, Kind.MAIL_REPORTS) == 60
    with acting_for(old.organization.id):
        (entry,) = audit.entries(Filters(action=Action.RETENTION_SET))
        assert entry.details == {"kind": "mail-reports", "days": 60, "days_before": 400}
        assert ReportRow.objects.count() == 2, "the round empties it, not the page"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kind": "documents", "days": "2191"}, "45 CFR 164.528(d), 164.530(j)(2)"),
        ({"kind": "documents", "days": "2191", "sure": "True"}, "45 CFR 164.528(d), 164.530(j)(2)"),
        ({"kind": "messages", "days": "29"}, "30 days at least"),
        ({"kind": "messages", "days": "-1"}, "30 days at least"),
        ({"kind": "messages", "days": "9" * 30}, "36525 days at most"),
        ({"kind": "messages", "days": "soon"}, "whole number"),
        ({"kind": "rejects", "days": ""}, "365 at most"),
        ({"kind": "receipts", "days": "1"}, "Select a valid choice"),
        ({"days": "90"}, "required"),
    ],
)
def test_bad_input_is_said_at_its_field_and_changes_nothing(
    old: Console, given: dict[str, str], says: str
) -> None:
    refused = old.client(Role.ADMINISTRATOR).post(PAGE, given)
    assert refused.status_code == 400
    assert says in refused.content.decode()
    with acting_for(old.organization.id):
        assert all(each.is_usual for each in api.all_rules())


def test_the_command_line_shows_sets_and_runs(
    old: Console, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("salus.wiring.cli.setup", lambda: None)

    def salus(*words: str) -> tuple[int, str]:
        code = main(["retention", *words, "--organization", old.organization.slug])
        said = capsys.readouterr()
        return code, said.out + said.err

    code, said = salus("show")
    assert code == 0
    assert "documents       2192 days" in said
    assert "[45 CFR 164.312(b), 164.316(b)(2)(i)]" in said
    assert salus("set", "mail-reports", "60") == (
        1, "This would empty 1 of mail-reports. Nothing was changed. Say --yes to do it.\n",
    )  # fmt: skip
    assert salus("set", "mail-reports", "60", "--yes") == (0, "mail-reports: 60.\n")
    assert salus("run") == (0, "mail-reports: 1 emptied, 0 left\n1 emptied.\n")
    assert salus("set", "messages", "none") == (0, "messages: none.\n")
    for words, says in (
        (("receipts", "10"), "45 CFR 164.528(a)(1)"),
        (("audit-log", "10"), "164.316(b)(2)(i)"),
        (("documents", "2191"), "164.530(j)(2)"),
        (("pictures", "10"), "This is one of: messages"),
        (("messages", "soon"), "Write a number of days"),
    ):
        code, said = salus("set", *words)
        assert code == 2
        assert says in said
    assert kept(old, Kind.MESSAGES) is None


def test_the_set_up_asks_once_and_does_not_undo_what_was_chosen_later(database: object) -> None:
    given = {**ANSWERS, "slug": "kept-clinic", "kept_days": "400"}
    given |= {
        key: f"kept-{given[key]}"
        for key in given
        if key.endswith("_officer_email") or key == "administrator_email"
    }
    done = steps.set_up(given)
    with acting_for(done.organization.id):
        rules = {each.kind: each.days for each in api.all_rules()}
        assert rules[Kind.MESSAGES] == rules[Kind.CONVERSATIONS] == rules[Kind.TASKS] == 400
        assert rules[Kind.DOCUMENTS] == api.SIX_YEARS
        api.set_rule(Kind.TASKS, 500, actor=steps.actor_for(done.organization))
    steps.set_up({**given, "kept_days": "2192"})
    with acting_for(done.organization.id):
        assert {each.kind: each.days for each in api.all_rules()} == {**rules, Kind.TASKS: 500}


@pytest.mark.parametrize("text", ["29", "36526", "six years", "-1", "1e3", "9" * 40])
def test_the_set_up_refuses_what_retention_would(text: str) -> None:
    (question,) = [each for part in questions.SECTIONS for each in part.questions if each.key == "kept_days"]
    with pytest.raises(BadInput):
        questions.check(question, text)
    assert api.BOUNDS[Kind.MESSAGES].least == questions.LEAST_KEPT


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_page_is_for_everybody_and_for_small_screens(
    old: Console, page_at: Callable[..., Page], width: int
) -> None:
    page = page_at(width)
    sign_in(page, "privacy_officer")
    page.goto(f"{old.url}{PAGE}")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "retention")
    page.get_by_label("What", exact=True).select_option("mail-reports")
    page.get_by_label("Keep it for, days").fill("60")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Keep 60 days, empty 1")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "retention-shorten")
    page.get_by_role("button", name="Keep 60 days, empty 1").click()
    expect(page.get_by_text("Mail reports: 60 days.")).to_be_visible()
    page.get_by_label("What", exact=True).select_option("documents")
    page.get_by_label("Keep it for, days").fill("100")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Keep it for 2192 days at least.").first).to_be_visible()
    assert_accessible(page)
    keep_picture(page, "retention-refused")
