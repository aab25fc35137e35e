"""The compiled program and a slow evaluator written apart agree on everything, whatever the facts."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from salus.gate.contracts import MessageFacts, PersonFacts
from salus.gate.rules.moment import Moment
from salus.gate.rules.program import Program
from salus.gate.rules.table import RULES

from .reference import judge
from .strategies import messages, near, people
from .witnesses import WITNESSES, opened
from .world import AT, CODES, decide

hours = st.integers(0, 7 * 24).map(lambda n: AT + timedelta(hours=n))


@settings(max_examples=300, deadline=None)
@given(messages(), people(), hours)
def test_the_program_and_the_oracle_agree(facts: MessageFacts, person: PersonFacts, at: datetime) -> None:
    _agree(facts, person, at)


@settings(max_examples=700, deadline=None)
@given(st.data())
def test_they_agree_a_step_away_from_every_rules_own_case(data: st.DataObject) -> None:
    witness = data.draw(st.sampled_from(WITNESSES))
    facts, who = opened(witness) if data.draw(st.booleans()) else (witness.facts, witness.who)
    _agree(*data.draw(near(facts, who)), witness.at)


def _agree(facts: MessageFacts, person: PersonFacts, at: datetime) -> None:
    decision, verdict = decide(facts, person, at), judge(facts, person, at, RULES)
    assert list(decision.rule_ids) == verdict.rule_ids
    assert decision.reason == verdict.reason
    assert decision.allowed == verdict.allowed
    assert decision.floor == verdict.floor
    shut = {result.gate for result in decision.results if not result.satisfied}
    assert shut == {key[0] for key, opened in verdict.gates.items() if not opened}
    assert {result.gate for result in decision.results} == {key[0] for key in verdict.gates}


@settings(max_examples=60, deadline=None)
@given(messages(), st.lists(people(), min_size=2, max_size=5))
def test_people_decided_together_are_decided_as_if_alone(
    facts: MessageFacts, them: list[PersonFacts]
) -> None:
    program, now = Program(facts, CODES, AT.date()), Moment.of(AT)
    assert [program.decide(one, now) for one in them + them] == [decide(facts, one) for one in them + them]
