"""Every code that a decision can show is explained in plain words, with a citation."""

from __future__ import annotations

import re

import pytest

from salus.gate import api
from salus.gate.contracts import Element, Explained, Reason
from salus.gate.explaining import GATES
from salus.gate.rules.reasons import RANK
from salus.gate.rules.rulings import RULINGS
from salus.gate.rules.state_register import NOT_SEND_TIME
from salus.gate.rules.table import RULES
from salus.kernel.errors import NotFound
from salus.kernel.vocabulary import Gate

CODES = [
    *Reason, *Gate, *Element, *(rule.id for rule in RULES), *(rule.row for rule in RULES), *NOT_SEND_TIME,
    *(ruling.id for ruling in RULINGS),
]  # fmt: skip


@pytest.mark.parametrize("code", sorted(set(map(str, CODES))))
def test_every_code_is_explained(code: str) -> None:
    found = api.explain(code)
    assert found.sentence.rstrip().endswith(".")
    assert found.citations
    assert all(found.citations)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_next_step_and_a_place_in_the_order(reason: Reason) -> None:
    assert api.explain(reason).next_step.endswith(".")
    assert reason in RANK


def test_the_words_are_plain() -> None:
    for code in CODES:
        text = api.explain(str(code)).sentence
        assert "!" not in text
        assert not re.search(r"\b(oops|invalid|error|illegal)\b", text, re.IGNORECASE)


def test_a_row_that_became_several_rules_is_explained_with_all_of_them() -> None:
    found: Explained = api.explain("d09")
    assert "D09a:" in found.sentence
    assert "D09b:" in found.sentence


def test_case_does_not_matter_and_a_stranger_is_not_known() -> None:
    assert api.explain("tx:MARKETING") == api.explain("TX:marketing")
    for stranger in ("nonsense", "", "D99"):
        with pytest.raises(NotFound):
            api.explain(stranger)


def test_all_gates_are_there() -> None:
    assert set(GATES) == set(Gate)


def test_rulings_x1_to_x16_are_there_and_every_rule_cites_known_ones() -> None:
    known = [ruling.id for ruling in RULINGS]
    assert known == [f"X{n}" for n in range(1, 17)]
    cited = {ruling for rule in RULES for ruling in rule.rulings}
    assert cited == {ruling.id for ruling in RULINGS if ruling.send_time}


def test_rules_named_by_a_ruling_exist() -> None:
    ids = {rule.id for rule in RULES} | {rule.row for rule in RULES}
    for ruling in RULINGS:
        for named in re.findall(r"\b[A-Z]\d{1,2}\b", ruling.decision):
            assert named in ids, (ruling.id, named)


def test_the_table_shows_every_rule_with_what_narrows_its_gates() -> None:
    table = {rule.id: rule for rule in api.decision_table()}
    assert len(table) == len(RULES)
    assert table["NY:hiv"].strict == ("SPECIAL_AUTH(hiv)",)
    assert table["D36a"].strict == ("OPT_IN(double)",)
    assert table["D01"].strict == ("none",)
    assert table["T3"].federal_floor == ("no rule",)
    assert table["CA:authorization_form"].strict == ("AUTH(form CA)",)
