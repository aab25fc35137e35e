"""Who exactly is behind a figure: only for those who may, masked without a purpose, always recorded."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity.contracts import Role
from salus.kernel.errors import NotFound
from salus.platform.tenancy import acting_for
from salus.reports import api, recipients, rules
from salus.reports.contracts import Figure, Reveal, Wanted
from tests.reports.conftest import client_of
from tests.reports.world import World, staff


def _text(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


@pytest.mark.parametrize("role", [Role.MARKETER, Role.ANALYST, Role.AUDITOR, Role.ADMINISTRATOR])
def test_roles_that_see_how_many_do_not_see_who(inside: World, role: Role) -> None:
    nosy = staff(inside.organization, role)
    with pytest.raises(NotFound):
        api.who_exactly(inside.campaign_id, Wanted(), actor=nosy)
    with pytest.raises(NotFound):
        api.export_recipients(inside.campaign_id, Wanted(), actor=nosy)
    assert client_of(inside, role).get(f"/reports/campaigns/{inside.campaign_id}/who/").status_code == 404


def test_each_figure_is_exactly_its_people(inside: World) -> None:
    officer = staff(inside.organization, Role.PRIVACY_OFFICER)

    def people(figure: Figure, reason: str = "") -> set[object]:
        found = api.who_exactly(inside.campaign_id, Wanted(figure, reason), actor=officer)
        return {each.message_id for each in found}

    assert people(Figure.PORTAL) == set(inside.messages["portal"])
    assert people(Figure.BOUNCED) == set(inside.messages["bounced"])
    assert people(Figure.ACCEPTED) == set(inside.messages["accepted"])
    assert people(Figure.REFUSED) == set(inside.messages["refused"])
    assert people(Figure.ALL) == people(Figure.CLEARED) | people(Figure.REFUSED)
    assert len(people(Figure.REFUSED, "opted_out")) == 2
    assert people(Figure.QUEUED) == people(Figure.READ) == people(Figure.UNCERTAIN) == set()


def test_names_are_opened_for_a_purpose_and_written_down(own: World) -> None:
    with acting_for(own.organization.id):
        officer = staff(own.organization, Role.PRIVACY_OFFICER)
        masked = api.who_exactly(own.campaign_id, Wanted(Figure.PORTAL), actor=officer)
        opened = api.who_exactly(
            own.campaign_id, Wanted(Figure.PORTAL), actor=officer, purpose=Reveal.OPERATIONS
        )
        looks = audit.entries(Filters(action=Action.REPORT_RECIPIENTS, actor_id=officer.id))
        reveal = audit.entries(Filters(action=Action.CONTACT_REVEAL, actor_id=officer.id))[0]
    assert all(each.given_name is None and each.address is None for each in masked)
    assert all(each.given_name and each.given_name.reveal().startswith("Givenname") for each in opened)
    assert all(each.address and each.address.reveal().endswith("@lakepost.example.test") for each in opened)
    assert [(look.purpose, look.details["people"]) for look in looks] == [
        ("health_care_operations", 3),
        ("", 3),
    ]
    assert reveal.purpose == "health_care_operations"
    assert "Givenname" not in repr(opened)


def test_whoever_may_not_reveal_sees_no_names(inside: World) -> None:
    from dataclasses import replace

    officer = staff(inside.organization, Role.PRIVACY_OFFICER)
    without = replace(officer, permissions=officer.permissions - {"contacts:phi:reveal"})
    assert api.who_exactly(inside.campaign_id, Wanted(), actor=without)
    with pytest.raises(NotFound):
        api.who_exactly(inside.campaign_id, Wanted(), actor=without, purpose=Reveal.TREATMENT)
    with pytest.raises(NotFound):
        api.export_recipients(inside.campaign_id, Wanted(), actor=without, purpose=Reveal.TREATMENT)


def test_a_page_goes_on_where_the_last_one_ended(inside: World, monkeypatch: pytest.MonkeyPatch) -> None:
    officer = staff(inside.organization, Role.PRIVACY_OFFICER)
    whole = api.who_exactly(inside.campaign_id, Wanted(), actor=officer)
    after, seen = 0, []
    while page := recipients.page(inside.campaign_id, Wanted(), actor=officer, after=after, limit=7):
        seen += page
        after = page[-1].contact_number
    assert seen == whole


def test_the_file_holds_everybody_once_whatever_the_chunk(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipients, "CHUNK", 5)
    with acting_for(shared.organization.id):
        officer = staff(shared.organization, Role.PRIVACY_OFFICER)
        lines = api.export_recipients(shared.campaign_id, Wanted(), actor=officer)
        entry = audit.entries(Filters(action=Action.REPORT_EXPORT, object_id=shared.campaign_id))[0]
    rows = list(csv.DictReader(io.StringIO("".join(lines))))  # outside: each chunk opens its own transaction
    assert len(rows) == len({row["message"] for row in rows}) == len(shared.people)
    assert set(rows[0]) == set(recipients.COLUMNS)
    assert "Givenname" not in str(rows)
    assert (entry.reason, entry.purpose) == ("all", "")


def test_the_page_exports_with_names_only_for_a_purpose(shared: World) -> None:
    client = client_of(shared, "privacy_officer")
    address = f"/reports/campaigns/{shared.campaign_id}/export/"
    refused = client.post(address, {"figure": "bounced", "names": "on"})
    assert refused.status_code == 400
    assert "Say what for." in refused.content.decode()
    answer = client.post(address, {"figure": "bounced", "names": "on", "purpose": "patient_asked"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="recipients.csv"'
    rows = list(csv.DictReader(io.StringIO(_text(answer))))
    assert len(rows) == 2
    assert rows[0]["given_name"].startswith("Givenname")
    assert rows[0]["email"].endswith("@lakepost.example.test")
    plain = client.post(address, {"figure": "bounced"})
    assert "Givenname" not in _text(plain)
    assert client.get(address).status_code == 405


def test_the_page_masks_until_a_purpose_is_given(shared: World) -> None:
    client = client_of(shared, "care_coordinator")
    address = f"/reports/campaigns/{shared.campaign_id}/who/?figure=portal"
    assert "Givenname" not in client.get(address).content.decode()
    assert "Say what for." in client.post(address, {"purpose": ""}).content.decode()
    seen = client.post(address, {"purpose": "treatment"}).content.decode()
    assert seen.count("Givenname") == 3
    assert "Purpose: Treatment" in seen
    assert client.get(address.replace("portal", "nonsense")).status_code == 404


@given(st.text(max_size=30))
def test_no_cell_of_a_file_is_a_formula(text: str) -> None:
    cell = rules.safe_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell in {text, f"'{text}"}
