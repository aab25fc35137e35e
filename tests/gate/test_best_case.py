"""Whether anybody at all could get a message: no real person gets what the best of invented people is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salus.gate import api as gate
from salus.gate.contracts import MessageFacts, PersonFacts, Reason
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Channel, Purpose

from .strategies import messages, near, people
from .witnesses import WITNESSES
from .world import AT, message

P, R = Purpose, Reason


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.data(), messages(), people())
def test_nobody_gets_what_the_best_case_is_refused(
    data: st.DataObject, facts: MessageFacts, who: PersonFacts
) -> None:
    facts, who = data.draw(near(facts, who))
    (decision,) = gate.decide(facts, [who], AT)
    if decision.allowed:
        assert gate.best_case(facts, AT).allowed


def test_every_rule_that_a_person_can_open_is_open_for_the_best_case() -> None:
    """What is left only a change of the message mends: its service, who confirmed it, who approved it."""
    refused = {
        one.rule: gate.best_case(one.facts, AT).reason
        for one in WITNESSES
        if (one.reason is None or one.opens) and not gate.best_case(one.facts, AT).allowed
    }
    assert refused == {
        "A4": R.SERVICE_OUT_OF_SCOPE,
        "A6": R.NOT_CONFIRMED,
        "S10": R.NO_COMPLIANCE_APPROVAL,
        "U1": R.UNKNOWN_FACT,
        "U2": R.UNKNOWN_FACT,
    }


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (message(P.UNCLASSIFIED), R.UNCLASSIFIED),
        (message(P.SALE_OF_LIST), R.BLOCKED_BY_RULE),
        (message(P.NEWSLETTER, classification_confirmed=False), R.NOT_CONFIRMED),
    ],
)
def test_what_nobody_may_get_is_said_with_its_reason(facts: MessageFacts, reason: Reason) -> None:
    decision = gate.best_case(facts, AT)
    assert not decision.allowed
    assert decision.reason == reason


@pytest.mark.parametrize("hour", [0, 5, 12, 23])
def test_the_hour_does_not_matter(hour: int) -> None:
    facts = message(P.APPOINTMENT, channel=Channel.SMS, reads=())
    assert gate.best_case(facts, datetime(2026, 11, 24, hour, tzinfo=UTC)).allowed


def test_a_value_set_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadInput):
        gate.best_case(message(P.CONDITION_EDUCATION, conditions=("vs:nothing",)), AT)
