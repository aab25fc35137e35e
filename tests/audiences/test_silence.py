"""Silence is a segment that people enter as time passes, with nothing happening: no engagement, no visit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from salus.audiences import api
from salus.contacts import api as contacts
from salus.kernel.acting import system
from salus.kernel.time import FakeClock
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent

from .running import RunningEngine, patch, wait_until
from .worlds import tree

NOW = datetime.now(UTC).replace(microsecond=0)
WRITTEN_TO = {"did": "message_accepted", "at": {"within_last": {"days": 90}}}
NO_ENGAGEMENT = tree(
    {
        "all": [
            WRITTEN_TO,
            {
                "did_not": ["message_opened", "message_clicked", "message_read", "portal_signed_in"],
                "at": {"within_last": {"days": 30}},
            },
        ]
    }
)
NO_CONTACT = tree(
    {
        "all": [
            {"did_not": ["visit", "appointment_attended", "form_completed"], "at": {"within_last": {"weeks": 26}}},
            {"not": {"record": "encounters", "date": {"within_last": {"months": 6}}}},
            {"not": {"record": "appointments", "status": "booked", "date": {"within_next": {"months": 12}}}},
        ]
    }
)  # fmt: skip


def ago(contact_id: UUID, kind: EventKind, days: float) -> NewEvent:
    return NewEvent(contact_id, kind, NOW - timedelta(days=days), f"{kind} {days}")


@pytest.fixture
def clinic(organization: UUID, engine: RunningEngine) -> dict[str, Any]:
    """Three people: written to and opened, written to in vain, never written to; the second one came lately."""
    actor = system(organization, "test")
    with acting_for(organization):
        made = contacts.merge([patch("opened"), patch("vain"), patch("never")], actor=actor)
        opened, vain, _ = (one.contact_id for one in made)
        assert opened is not None
        assert vain is not None
        timeline.append(
            [
                ago(opened, EventKind.MESSAGE_ACCEPTED, 12),
                ago(opened, EventKind.MESSAGE_OPENED, 10),
                ago(opened, EventKind.VISIT, 400),
                ago(vain, EventKind.MESSAGE_ACCEPTED, 40),
                ago(vain, EventKind.VISIT, 30),
            ]
        )
    engine.organizations.append(organization)
    wait_until(organization, lambda: set(api.members(NO_ENGAGEMENT)) == {2})
    return {"id": organization, "actor": actor, "opened": opened}


def entered(clinic: dict[str, Any], segment_id: UUID, days: float) -> tuple[set[int], set[int]]:
    """Freeze so many days from now; return who entered and who left since it was frozen before."""
    with acting_for(clinic["id"]):
        before = api.latest_frozen(segment_id)
        after = api.freeze(segment_id, clinic["actor"], clock=FakeClock(NOW + timedelta(days=days)))
        came, went = api.entered_and_left(before or after, after)
    return set(came), set(went)


def save(clinic: dict[str, Any], rules: dict[str, Any]) -> UUID:
    with acting_for(clinic["id"]):
        return api.save_segment("Silent", rules, clinic["actor"]).id


def test_whoever_does_not_answer_for_thirty_days_enters_on_that_day(clinic: dict[str, Any]) -> None:
    silent = save(clinic, NO_ENGAGEMENT)
    entered(clinic, silent, 0)
    assert entered(clinic, silent, 19.9) == (set(), set())
    assert entered(clinic, silent, 20.1) == ({1}, set())
    assert entered(clinic, silent, 49) == (set(), set())
    assert entered(clinic, silent, 51) == (set(), {2})  # nobody has written to them for 90 days
    with acting_for(clinic["id"]):
        timeline.append([ago(clinic["opened"], EventKind.PORTAL_SIGNED_IN, -51)])
    assert entered(clinic, silent, 52) == (set(), {1})


def test_whoever_does_not_come_for_half_a_year_enters_then_and_leaves_with_a_booking(
    clinic: dict[str, Any],
) -> None:
    gone = save(clinic, NO_CONTACT)
    entered(clinic, gone, 0)
    assert entered(clinic, gone, 152 - 1) == (set(), set())
    assert entered(clinic, gone, 152 + 1) == ({2}, set())
    day = (NOW + timedelta(days=200)).date().isoformat()
    booked = {"appointments": [{"id": "a1", "date": day, "status": "booked"}]}
    with acting_for(clinic["id"]):
        contacts.change_records([(3, booked)], clinic["actor"])
    assert entered(clinic, gone, 154) == (set(), {3})
    assert entered(clinic, gone, 202) == ({3}, set())


@pytest.mark.parametrize("days", [0, 19.9, 20.1, 49, 51, 151, 153, 400])
def test_one_persons_rules_say_the_same_as_the_engine(clinic: dict[str, Any], days: float) -> None:
    at = NOW + timedelta(days=days)
    with acting_for(clinic["id"]):
        ids = contacts.ids_of([1, 2, 3])
        happened = timeline.of_contacts(list(ids.values()), since=NOW - timedelta(days=1))
        standings = permissions.standings(list(ids.values()), at)
        documents = {n: orjson.loads(raw) for n, _, _, raw in contacts.open_documents(numbers=[1, 2, 3])}
        for rules in (NO_ENGAGEMENT, NO_CONTACT):
            alone = {
                number
                for number, contact_id in ids.items()
                if api.matches(rules, documents[number], happened[contact_id], standings[contact_id], at)
            }
            assert set(api.members(rules, clock=FakeClock(at))) == alone
