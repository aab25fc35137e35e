"""A policy is read exactly or refused with its place; the strictest wins; a mark is never sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Protection, Purpose
from salus.safeguards.contracts import About, By, Mark, Policy, Rule
from salus.safeguards.reading import CLASSES, MOST_RULES, read
from salus.safeguards.rules import asked, holds, mark_of, strictest, unmarked
from salus.safeguards.web.wording import EXAMPLE, condition

PORTAL = '[[rule]]\nname = "Results"\nprotect = "portal"\n'


def about(**given: object) -> About:
    usual = {
        "purpose": Purpose.LAB_NOTICE, "topic": "results", "classes": frozenset({"lab"}),
        "domain": "lakepost.example.test", "mark": None,
    }  # fmt: skip
    return About(**{**usual, **given})  # type: ignore[arg-type]


def test_the_example_is_a_policy() -> None:
    results, hospital, marked = read(EXAMPLE)
    assert results == Rule("Results stay in the portal", Protection.PORTAL, frozenset({Purpose.LAB_NOTICE}))
    assert hospital.domains == {"mercy.example.org", "*.mercy.example.org"}
    assert (set(marked.marks), set(marked.classes)) == ({Mark.SECURE}, {"diagnosis"})
    assert condition(marked) == "that disclose diagnosis marked [secure]"
    assert read("") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[rule]\n", "line 1"),
        ('rule = "none"\n', "[[rule]]"),
        ("[other]\nx = 1\n", "“other” is not known"),
        ('[[rule]]\nprotect = "portal"\n', "rule 1: give it a name"),
        ('[[rule]]\nname = "a"\nprotect = "clear"\n', "rule 1 (“a”): protect is one of named, verified, key"),
        ('[[rule]]\nname = "a"\n', "protect is one of"),
        (PORTAL + "purposes = []\n", "purposes is a list of 1 to"),
        (PORTAL + 'purposes = "newsletter"\n', "purposes is a list"),
        (PORTAL + 'purposes = ["newsleter"]\n', "'newsleter' is not one of the purposes"),
        (PORTAL + 'classes = ["diagnoses"]\n', "not one of the classes"),
        (PORTAL + "topics = [7]\n", "'7' is not one of the topics"),
        (PORTAL + 'domains = ["Mercy.example.org"]\n', "not one of the domains"),
        (PORTAL + 'domains = ["*"]\n', "not one of the domains"),
        (PORTAL + 'domains = ["a..org"]\n', "not one of the domains"),
        (PORTAL + 'marks = ["clear"]\n', "not one of the marks"),
        (PORTAL + 'unless = ["x"]\n', "“unless” is not known"),
        (PORTAL + PORTAL, "Two rules are called “Results”"),
        ("".join(f'[[rule]]\nname = "{n}"\nprotect = "key"\n' for n in range(MOST_RULES + 1)), "at most 200"),
        ("#" * 100_001, "at most 100,000"),
    ],
)
def test_a_fault_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(BadInput) as fault:
        read(text)
    assert said in str(fault.value)


@given(st.text(max_size=300))
def test_any_text_is_a_policy_or_refused(text: str) -> None:
    try:
        read(text)
    except BadInput:
        return


def test_all_conditions_hold_and_of_each_any_word() -> None:
    rule = Rule(
        "x",
        Protection.KEY,
        purposes=frozenset({Purpose.LAB_NOTICE, Purpose.REFILL}),
        classes=frozenset({"lab"}),
    )
    assert holds(rule, about())
    assert holds(rule, about(purpose=Purpose.REFILL, classes=frozenset({"lab", "contact"})))
    assert not holds(rule, about(purpose=Purpose.NEWSLETTER))
    assert not holds(rule, about(classes=frozenset({"contact"})))
    assert holds(Rule("all", Protection.VERIFIED), about())


@pytest.mark.parametrize(
    ("domain", "holds_for"),
    [("mercy.example.org", True), ("a.b.mercy.example.org", True), ("nomercy.example.org", False),
     ("example.org", False), ("", False)],
)  # fmt: skip
def test_a_star_means_every_name_below(domain: str, holds_for: bool) -> None:
    names = frozenset({"mercy.example.org", "*.mercy.example.org"})
    assert holds(Rule("x", Protection.KEY, domains=names), about(domain=domain)) is holds_for


def test_a_star_does_not_mean_the_name_itself() -> None:
    assert not holds(Rule("x", Protection.KEY, domains=frozenset({"*.mercy.example.org"})),
                     about(domain="mercy.example.org"))  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "mark", "sent"),
    [
        ("[secure] Your visit", Mark.SECURE, "Your visit"),
        ("[PORTAL]Your visit", Mark.PORTAL, "Your visit"),
        (" [secure] [portal] Your visit", Mark.PORTAL, "Your visit"),
        ("[portal] [secure] Your visit", Mark.PORTAL, "Your visit"),
        ("Your visit [portal]", None, "Your visit [portal]"),
        ("[other] Your visit", None, "[other] Your visit"),
        ("[secure]", Mark.SECURE, ""),
    ],
)
def test_a_mark_stands_at_the_start_and_is_taken_off(subject: str, mark: Mark | None, sent: str) -> None:
    assert (mark_of(subject), unmarked(subject)) == (mark, sent)


LEVELS = st.sampled_from(Protection)
RULES = st.builds(
    Rule,
    st.just("r"),
    LEVELS,
    st.frozensets(st.sampled_from([Purpose.LAB_NOTICE, Purpose.NEWSLETTER]), max_size=1),
    st.frozensets(st.sampled_from(["results", "visits"]), max_size=1),
    st.frozensets(st.sampled_from(sorted(CLASSES)), max_size=2),
)


@given(LEVELS, st.lists(RULES, max_size=6), st.sampled_from([None, *Mark]), st.none() | LEVELS)
def test_nothing_that_anybody_asks_lowers_what_another_asks(
    law: Protection, rules: list[Rule], mark: Mark | None, wish: Protection | None
) -> None:
    who = about(mark=mark)
    fewer = strictest(law, asked(Policy(1, tuple(rules[:-1])), who, None))
    more = strictest(law, asked(Policy(1, tuple(rules)), who, wish))
    assert law <= fewer <= more
    assert wish is None or more >= wish


def test_who_asks_is_told() -> None:
    policy = Policy(3, read(PORTAL))
    found = asked(policy, about(mark=Mark.SECURE), Protection.KEY)
    assert [(each.by, each.name, each.level) for each in found] == [
        (By.MARK, "secure", Protection.VERIFIED),
        (By.POLICY, "Results", Protection.PORTAL),
        (By.PERSON, "", Protection.KEY),
    ]
