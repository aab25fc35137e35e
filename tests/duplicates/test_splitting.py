"""A merge that was wrong is taken apart: each has what it brought, and what came since goes by its rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salus.audiences import api as audiences
from salus.audiences import operations
from salus.audiences.joining import lists_of
from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.contacts.joined_document import joined, parted
from salus.contacts.models import Blind
from salus.delivery import api as delivery
from salus.duplicates import api
from salus.identity.contracts import Role
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask
from salus.inbox.models import TaskRow
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.joining import GivenBy
from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel, PhiClass
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind, NewEntry
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent
from tests.delivery.conftest import Desk

from .conftest import clerk, merge, record

NEWS, EMAIL = "news", Channel.EMAIL


def split(desk: Desk, merge_id: UUID, given_by: GivenBy = GivenBy.NOBODY) -> None:
    desk.clock.advance(timedelta(seconds=1))
    api.split(merge_id, given_by, "Two sisters", actor=clerk(desk), at=desk.clock.now())


def say(desk: Desk, contact_id: UUID, kind: EntryKind, **more: Any) -> UUID:
    desk.clock.advance(timedelta(seconds=1))
    entry = NewEntry(contact_id, kind, desk.clock.now(), "paper", **more)
    return permissions.append([entry], actor=desk.actor, clock=desk.clock)[0]


def opt_in(desk: Desk, contact_id: UUID) -> UUID:
    return say(desk, contact_id, EntryKind.OPT_IN, topic=NEWS, channel=EMAIL)


def state_of(desk: Desk, contact_id: UUID) -> dict[str, Any]:
    """Return all that belongs to one record, as values that compare."""
    ((number, _, _, raw),) = contacts.open_documents(ids=[contact_id])
    standing = permissions.standing(contact_id, desk.clock.now())
    return {
        "document": orjson.loads(raw),
        "indexes": set(Blind.objects.filter(contact_id=contact_id).values_list("blind", flat=True)),
        "standing": replace(standing, version=0, at=desk.clock.now(), valid_until=FAR),
        "events": {(each.kind, each.at) for each in timeline.of_contact(contact_id)},
        "lists": lists_of(number),
        "tasks": set(TaskRow.objects.filter(contact_id=contact_id).values_list("key", flat=True)),
        "messages": [each.message_id for each in delivery.messages_of_contact(contact_id)],
    }


ENTRIES: tuple[tuple[EntryKind, dict[str, Any]], ...] = (
    (EntryKind.OPT_IN, {"topic": NEWS, "channel": EMAIL}),
    (EntryKind.OPT_OUT, {"topic": NEWS, "channel": EMAIL}),
    (EntryKind.OPT_OUT, {"topic": "*"}),
    (EntryKind.RESTRICTION, {"details": {"channels": ["sms"]}}),
    (EntryKind.RESTRICTION_ENDED, {}),
    (EntryKind.CONFIDENTIAL_ADDRESS, {"channel": EMAIL, "details": {"value": "safe@lakepost.example.test"}}),
    (EntryKind.SUPPRESSION, {"channel": EMAIL, "details": {"reason": "complaint"}}),
    (EntryKind.DECEASED, {}),
    (EntryKind.FUNDRAISING_OPT_OUT, {}),
)
said = st.lists(st.sampled_from(range(len(ENTRIES))), max_size=4)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.tuples(said, said),
    st.sampled_from(["kept", "gone", "both"]),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.sampled_from(list(GivenBy)),
)
def test_merged_and_split_again_both_are_as_before(
    desk: Desk, entries: tuple[list[int], list[int]], side: str, facts: list[bool], given_by: GivenBy
) -> None:
    with transaction.atomic():
        kept = record(desk, "1001", "ada", "ada@lakepost.example.test", "+12065550101" if facts[0] else "")
        gone = record(desk, "2002", "eda", "eda@lakepost.example.test" if facts[1] else "", born="1981-01-01")
        listed = audiences.create_static("Called", desk.actor, tells=[PhiClass.CONTACT], clock=desk.clock).id
        for one, own, on in ((kept, entries[0], facts[2]), (gone, entries[1], facts[3])):
            for place in own:
                say(desk, one, ENTRIES[place][0], **ENTRIES[place][1])
            if on:
                operations.change_members(
                    listed, [contacts.numbers_of([one])[one]], wanted=True, actor=desk.actor
                )
            timeline.append([NewEvent(one, EventKind.VISIT, desk.clock.now(), key="v1")], clock=desk.clock)
            due = desk.clock.now() + timedelta(days=1)
            task = NewTask(f"t{one}", one, Role.PRIVACY_OFFICER, "Call", due, "")
            inbox.create_tasks([task], actor=desk.actor, at=desk.clock.now())
        desk.clock.advance(timedelta(seconds=1))
        before = state_of(desk, kept), state_of(desk, gone)
        differing = api.compare(kept, gone, actor=clerk(desk)).differing
        choices = {key: side if key in ("email", "phone") or side != "both" else "gone" for key in differing}
        id = merge(desk, kept, gone, **choices)
        split(desk, id, given_by)
        after = state_of(desk, kept), state_of(desk, gone)
        at = before[0]["standing"].at
        for each in after:
            each["standing"] = replace(each["standing"], at=at)
        assert after == before
        assert contacts.whole(gone) == (gone,)
        transaction.set_rollback(True)


VALUES = st.dictionaries(st.sampled_from(["given_name", "state", "city"]), st.sampled_from(["a", "b"]))
LISTS = st.lists(st.sampled_from(["E11.9", "I10"]), unique=True)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a sealed document with values, addresses, identifiers and records."""
    document: dict[str, Any] = dict(draw(VALUES))
    mails = draw(st.lists(st.sampled_from(["a@x.test", "b@x.test", "c@x.test"]), unique=True, max_size=2))
    if mails:
        document["addresses"] = [
            {
                "channel": "email",
                "value": each,
                "source": "clinical_encounter",
                "evidence": "e",
                "obtained": None,
            }
            for each in mails
        ]
    numbers = draw(st.lists(st.sampled_from(["1", "2", "3"]), unique=True, max_size=2))
    if numbers:
        document["identifiers"] = [{"system": "mrn", "value": each} for each in numbers]
    codes = draw(LISTS)
    if codes:
        document["conditions"] = [{"id": each, "code": each, "date": "2025-01-01"} for each in codes]
    return document


@given(documents(), documents(), st.sampled_from(["kept", "gone", "both"]), documents())
def test_documents_are_joined_without_loss_and_parted_exactly(
    kept: dict[str, Any], gone: dict[str, Any], side: str, since: dict[str, Any]
) -> None:
    both = joined(kept, gone, {"email": side})  # type: ignore[dict-item]

    def values(document: dict[str, Any], *names: str) -> set[str]:
        return {one["value"] for name in names for one in document.get(name, ())}

    for each in (kept, gone):
        assert values(each, "identifiers") <= values(both, "identifiers")
        assert values(each, "addresses") <= values(both, "addresses", "former"), "a file still finds them"
        assert {one["id"] for one in each.get("conditions", ())} <= {
            one["id"] for one in both.get("conditions", ())
        }
    assert parted(kept, both, both) == kept
    changed = {**both, "city": "since"}
    assert parted(kept, both, changed) == {**kept, "city": "since"}


@pytest.mark.parametrize("given_by", list(GivenBy))
def test_consent_given_since_stays_only_with_whom_it_was_given_by(
    desk: Desk, two: tuple[UUID, UUID], given_by: GivenBy
) -> None:
    kept, gone = two
    id = merge(desk, kept, gone)
    opt_in(desk, kept)
    split(desk, id, given_by)
    now = desk.clock.now()
    stands = {one: permissions.standing(one, now) for one in two}
    assert bool(stands[kept].opted_in(NEWS, EMAIL)) == (given_by is GivenBy.KEPT)
    assert bool(stands[gone].opted_in(NEWS, EMAIL)) == (given_by is GivenBy.GONE)
    assert permissions.rebuild_standings([*two]) == 0


@pytest.mark.parametrize("given_by", list(GivenBy))
def test_what_was_forbidden_since_holds_for_both(
    desk: Desk, two: tuple[UUID, UUID], given_by: GivenBy
) -> None:
    kept, gone = two
    opt_in(desk, gone)
    id = merge(desk, kept, gone)
    say(desk, kept, EntryKind.OPT_OUT, topic=NEWS, channel=EMAIL)
    say(desk, kept, EntryKind.RESTRICTION, details={"channels": ["sms"]})
    split(desk, id, given_by)
    for one in two:
        stands = permissions.standing(one, desk.clock.now())
        assert stands.opted_out(NEWS, EMAIL)
        assert len(stands.restrictions) == 1


def test_what_was_opened_again_since_is_closed_again(desk: Desk, two: tuple[UUID, UUID]) -> None:
    kept, gone = two
    say(desk, kept, EntryKind.RESTRICTION, details={"channels": ["sms"]})
    say(desk, kept, EntryKind.FUNDRAISING_OPT_OUT)
    id = merge(desk, kept, gone)
    say(desk, kept, EntryKind.RESTRICTION_ENDED)
    say(desk, kept, EntryKind.FUNDRAISING_OPT_IN)
    assert permissions.standing(kept, desk.clock.now()).restrictions == ()
    split(desk, id, GivenBy.NOBODY)
    stands = permissions.standing(kept, desk.clock.now())
    assert len(stands.restrictions) == 1
    assert stands.fundraising_opt_out


def test_what_came_since_stays_with_the_kept_record(desk: Desk, two: tuple[UUID, UUID]) -> None:
    kept, gone = two
    id = merge(desk, kept, gone)
    number = contacts.numbers_of([kept])[kept]
    contacts.change_attributes([(number, {"city": "Olympia"})], desk.actor, clock=desk.clock)
    timeline.append([NewEvent(kept, EventKind.VISIT, desk.clock.now(), key="since")], clock=desk.clock)
    timeline.append([NewEvent(gone, EventKind.DISCHARGE, desk.clock.now(), key="old")], clock=desk.clock)
    split(desk, id)

    def city(one: UUID) -> bool:
        return "city" in contacts.open_one(one, fields=["city"], purpose="test", actor=desk.actor).values

    assert (city(kept), city(gone)) == (True, False)
    kinds = [{each.kind for each in timeline.of_contact(one)} for one in two]
    assert EventKind.VISIT in kinds[0]
    assert EventKind.VISIT not in kinds[1]
    assert EventKind.DISCHARGE in kinds[1], "what was told of the other record's id is the other's"
    assert contacts.find_by_identifier("mrn", "2002") == gone
    proposed = api.propose("", actor=clerk(desk)).pairs
    assert tuple(sorted(two)) not in [each.ids for each in proposed], "they are told apart"


def test_merges_are_taken_apart_last_first_and_once(desk: Desk, two: tuple[UUID, UUID]) -> None:
    kept, gone = two
    third = record(desk, "3003", "Ada", "ada3@lakepost.example.test")
    opted = opt_in(desk, gone)
    first = merge(desk, kept, gone)
    second = merge(desk, third, kept)
    assert contacts.whole(gone) == (third, kept, gone)
    assert permissions.standing(third, desk.clock.now()).opt_ins[0].evidence_id == opted
    with pytest.raises(Conflict, match="merged again"):
        split(desk, first)
    split(desk, second)
    assert contacts.whole(gone) == (kept, gone)
    split(desk, first)
    assert contacts.whole(gone) == (gone,)
    with pytest.raises(NotFound):
        split(desk, first)


@pytest.mark.parametrize("why", ["", " ", "x" * 501])
def test_a_split_needs_a_reason_and_is_recorded(desk: Desk, two: tuple[UUID, UUID], why: str) -> None:
    id = merge(desk, *two)
    who, now = clerk(desk), desk.clock.now()
    with pytest.raises(BadInput, match="Say why"):
        api.split(id, GivenBy.KEPT, why, actor=who, at=now)
    with pytest.raises(NotFound):
        api.split(new_id(), GivenBy.KEPT, "No", actor=who, at=now)
    api.split(id, GivenBy.KEPT, "Two sisters", actor=who, at=now)
    for one in two:
        (entry,) = audit.entries(Filters(action=Action.CONTACT_PART, patient_id=one))
        assert entry.actor_id == who.id
        assert entry.details["given_by"] == "kept"
        assert "sisters" not in str(entry)
    found = api.one_merge(id, actor=who)
    assert found.why_ended.reveal() == "Two sisters"
    assert found.ended_at == now
