"""Which act is possible when, and by whom: the table alone, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from salus.campaigns import rules
from salus.campaigns.contracts import SignOff, Status
from salus.identity.contracts import Role
from salus.identity.rules import permissions_of

AT = datetime(2026, 12, 1, 18, tzinfo=UTC)
ADA, BERT = UUID(int=1), UUID(int=2)
ENDS = {Status.DONE, Status.CANCELLED}


def test_the_usual_way_leads_from_draft_to_done() -> None:
    status = Status.DRAFT
    for act in ("plan", "planned", "approve", "schedule", "launch", "pause", "resume", "finish"):
        reached = rules.after(act, status)
        assert reached is not None, (act, status)
        status = reached
    assert status is Status.DONE


def test_nothing_is_sent_before_it_is_approved() -> None:
    for status in set(Status) - {Status.APPROVED, Status.SCHEDULED}:
        assert rules.after("launch", status) is None
    for status in set(Status) - {Status.PLANNED}:
        assert rules.after("approve", status) is None


def test_what_has_ended_stays_as_it_is() -> None:
    assert [act for act in rules.MOVES for status in ENDS if rules.after(act, status)] == []


def test_whatever_is_under_way_can_be_stopped() -> None:
    assert {status for status in Status if rules.after("cancel", status)} == set(Status) - ENDS


@given(st.lists(st.sampled_from(sorted(rules.MOVES)), max_size=12))
def test_sending_needs_an_approval_of_the_present_plan(acts: list[str]) -> None:
    status, approved = Status.DRAFT, False
    for act in acts:
        reached = rules.after(act, status)
        if reached is None:
            continue
        if act == "approve":
            approved = True
        elif reached in {Status.DRAFT, Status.PLANNING}:
            approved = False
        assert reached not in {Status.SENDING, Status.SCHEDULED} or approved
        status = reached


def test_every_act_and_every_status_has_words() -> None:
    assert set(rules.WORDS) == set(rules.MOVES) - {"planned", "finish"}
    assert set(rules.STATES) == set(Status)


def test_only_somebody_else_who_is_known_decides() -> None:
    assert rules.is_somebody_else({ADA}, BERT)
    assert not rules.is_somebody_else({ADA, BERT}, BERT)
    assert not rules.is_somebody_else({ADA}, None)
    assert not rules.is_somebody_else((), BERT)


def test_no_role_that_writes_campaigns_gives_the_papers_of_the_privacy_office() -> None:
    for role in (Role.MARKETER, Role.CARE_COORDINATOR):
        assert rules.SIGNERS[SignOff.WAIVER_ID] not in permissions_of([role])
    assert rules.SIGNERS[SignOff.CLINICIAN_SIGN_OFF] in permissions_of([Role.CARE_COORDINATOR])


def test_the_end_is_told_from_the_pace_of_the_last_minute() -> None:
    assert rules.ends_at(AT, 1200, 400) == AT + timedelta(minutes=3)
    assert rules.ends_at(AT, 1200, 0) is None
    assert rules.ends_at(AT, 0, 400) is None
