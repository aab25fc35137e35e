"""Every rule of the table does what it says, and is missed when it is not there."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from datetime import time
from importlib.resources import files
from typing import Any

import pytest

from salus.gate.contracts import Decision
from salus.gate.rules.rule import Kind, Rule
from salus.gate.rules.state_register import NOT_SEND_TIME
from salus.gate.rules.table import RULES, RULES_VERSION, version_of
from salus.kernel.vocabulary import Footer, Gate, Purpose

from .reference import judge
from .witnesses import WITNESSES, Witness, opened
from .world import decide, without

BY_ID = {rule.id: rule for rule in RULES}


def _id(witness: Witness) -> str:
    return witness.rule


def test_every_rule_has_a_witness_and_every_id_is_used_once() -> None:
    assert sorted(witness.rule for witness in WITNESSES) == sorted(BY_ID)
    assert len(BY_ID) == len(RULES)


@pytest.mark.parametrize("witness", WITNESSES, ids=_id)
def test_the_rule_decides_as_it_says(witness: Witness) -> None:
    decision = decide(witness.facts, witness.who, witness.at)
    assert witness.rule in decision.rule_ids
    assert decision.reason == witness.reason
    assert decision.allowed == (witness.reason is None)


@pytest.mark.parametrize("witness", [w for w in WITNESSES if w.opens], ids=_id)
def test_the_right_evidence_opens_it(witness: Witness) -> None:
    decision = decide(*opened(witness), witness.at)
    assert decision.reason is None
    assert all(result.satisfied for result in decision.results)


@pytest.mark.parametrize("witness", WITNESSES, ids=_id)
def test_without_the_rule_the_decision_is_another(witness: Witness) -> None:
    permits = BY_ID[witness.rule].kind is Kind.PERMIT and not witness.drop_as_is
    facts, who = opened(witness) if permits else (witness.facts, witness.who)
    with_it = decide(facts, who, witness.at)
    without_it = decide(facts, who, witness.at, without(witness.rule))
    assert without_it.reason == witness.dropped
    if witness.shows:
        assert getattr(without_it, witness.shows) != getattr(with_it, witness.shows)
    else:
        assert without_it.reason != with_it.reason
    assert without_it.rules_version != with_it.rules_version


@pytest.mark.parametrize("witness", WITNESSES, ids=_id)
def test_the_oracle_sees_it_the_same_way(witness: Witness) -> None:
    for facts, who in ((witness.facts, witness.who), opened(witness)):
        decision, verdict = decide(facts, who, witness.at), judge(facts, who, witness.at, RULES)
        assert (decision.reason, list(decision.rule_ids), decision.floor) == (
            verdict.reason, verdict.rule_ids, verdict.floor,
        )  # fmt: skip


def _table(name: str) -> list[dict[str, str]]:
    text = (files("salus.gate") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_every_row_of_the_decision_table_is_transcribed() -> None:
    rows = [row["id"] for row in _table("decision_table.csv")]
    assert rows == [f"D{n:02}" for n in range(1, 41)]
    assert {rule.row for rule in RULES if rule.id.startswith("D")} == set(rows)


def test_every_row_of_the_state_table_acts_or_says_why_not() -> None:
    rows = {f"{row['state']}:{row['topic']}" for row in _table("state_rules.csv")}
    acting = {rule.row for rule in RULES if ":" in rule.row}
    assert len(_table("state_rules.csv")) == len(rows)
    assert acting | set(NOT_SEND_TIME) == rows
    assert not acting & set(NOT_SEND_TIME)


def test_every_overlay_is_there() -> None:
    overlays = {rule.row for rule in RULES if re.fullmatch(r"S\d+", rule.row)}
    assert overlays == {f"S{n}" for n in range(1, 11)}


PURPOSES = {row["id"]: row["purpose"] for row in _table("decision_table.csv")}


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.id.startswith("D")], ids=lambda rule: rule.id
)
def test_a_row_is_about_the_purpose_that_the_table_names(rule: Rule) -> None:
    word = PURPOSES[rule.row]
    if word in {"any_communication", "any_marketing"}:
        assert len(rule.purposes) != 1 or rule.id == "D19b"
    elif rule.id[-1] not in "bc" or rule.row not in {"D13", "D14", "D15", "D17", "D20"}:
        assert rule.purposes == {Purpose(word)}


GATES = {
    "NONE": set(), "NONE + opt-out offered": set(), "OPT_IN": {Gate.OPT_IN}, "AUTH": {Gate.AUTH},
    "AUTH+REMUN": {Gate.AUTH_REMUN}, "FUND": {Gate.FUND}, "BLOCK": {Gate.BLOCK},
    "NONE + encryption mandatory": {Gate.ENCRYPT}, "OPT_IN (double opt-in)": {Gate.OPT_IN},
    "BLOCK until classified": {Gate.BLOCK}, "require E_NOTICE_AGREEMENT else first-class mail": {Gate.E_NOTICE},
}  # fmt: skip
"""Cells that are plain; every other cell is prose that became several rows, each witnessed above."""
PROSE = {"D07", "D12", "D18", "D21", "D23", "D26", "D30", "D35"}
ADDED = {"D16c", "D24", "D25", "D34b", "D36c", "D36d", "D37b"}
"""Rows that the table does not have, stricter or as another row says: see their sentences."""


@pytest.mark.parametrize("row", _table("decision_table.csv"), ids=lambda row: row["id"])
def test_the_strict_gates_are_those_of_the_default_column(row: dict[str, str]) -> None:
    if row["id"] in PROSE:
        assert row["default_gate"] not in GATES
        return
    wanted = GATES[row["default_gate"]]
    for rule in RULES:
        if rule.row == row["id"] and rule.id not in ADDED:
            assert {demand.gate for demand in rule.strict or ()} == wanted, rule.id


@pytest.mark.parametrize("row", _table("decision_table.csv"), ids=lambda row: row["id"])
def test_the_footer_is_that_of_the_table(row: dict[str, str]) -> None:
    words = {"none": "none", "n/a": None, "by row": None, "TX or CS": None}
    wanted = words.get(row["footer"], row["footer"])
    for rule in RULES:
        if rule.row == row["id"] and wanted is not None and rule.kind is Kind.PERMIT:
            assert rule.footer == Footer(wanted), rule.id


@pytest.mark.parametrize(
    "row", [row for row in _table("state_rules.csv") if "sms" in row["topic"]], ids=lambda row: row["state"]
)
def test_the_hours_are_those_of_the_state_table(row: dict[str, str]) -> None:
    window = BY_ID[f"{row['state']}:{row['topic']}"].window
    assert window is not None
    times = [time.fromisoformat(found) for found in re.findall(r"\d\d:\d\d", row["parameter"])]
    assert [window.start, window.end] == times[:2]
    assert window.sunday_start == (times[2] if len(times) > 2 else None)
    three = "max 3" in row["parameter"] or "3 per 24 h" in row["parameter"]
    elements: Any = BY_ID[f"{row['state']}:{row['topic']}"].elements
    assert ("sms_max_3_per_24h" in elements) == three


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_what_it_does_where_it_stands_and_since_when(rule: Rule) -> None:
    assert rule.sentence.endswith(".")
    assert rule.sentence[0].isupper()
    assert rule.citation
    assert rule.effective.year >= 1979
    assert rule.effective.year <= 2026


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_strict_asks_for_all_that_the_floor_asks_for(rule: Rule) -> None:
    if rule.floor is not None:
        assert rule.strict is not None
        assert set(rule.floor) <= set(rule.strict)


def test_any_change_of_a_rule_changes_the_version() -> None:
    assert version_of(RULES) == RULES_VERSION
    for rule in RULES:
        for changed in (
            replace(rule, version=rule.version + 1),
            replace(rule, sentence="Another."),
            replace(rule, strict=None),
        ):
            assert version_of([changed]) != version_of([rule])


def test_a_rule_that_is_not_law_yet_does_not_act_and_a_clearance_ends_when_it_begins() -> None:
    from datetime import date

    from .world import message, person

    later = replace(BY_ID["D37a"], effective=date(2027, 1, 1), id="new")
    blocked = tuple(later if rule.id == "D37a" else rule for rule in RULES)
    from salus.kernel.vocabulary import AddressSource

    decision: Decision = decide(
        message(Purpose.APPOINTMENT), person(source=AddressSource.PURCHASED), rules=blocked
    )
    assert decision.allowed
    assert decision.valid_until.date() == date(2027, 1, 1)
