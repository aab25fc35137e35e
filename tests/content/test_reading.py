"""What the analysis says that a template discloses."""

from __future__ import annotations

import pytest

from salus.contacts.contracts import Read
from salus.kernel.vocabulary import PhiClass, Special

from .desk import analyse, inspect, page, reads


def test_a_printed_field_is_read_where_it_stands() -> None:
    analysis = analyse(page("\n\nDear {{ contact.given_name }}"))
    assert analysis.reads == (Read("given_name", PhiClass.CONTACT, None, "merge", "line 3", None),)


def test_a_condition_discloses_though_nothing_is_printed() -> None:
    analysis = analyse(page("{% if contact.pregnant %}Good morning{% endif %}"))
    assert analysis.reads == (
        Read("pregnant", PhiClass.DIAGNOSIS, Special.REPRODUCTIVE, "condition", "line 1", None),
    )


def test_a_compared_code_is_named() -> None:
    found = reads(page('{% for r in contact.conditions if r.code == "E11" %}{{ r.text }}{% endfor %}'))
    assert found == {("conditions", "condition", "E11"), ("conditions", "merge", "E11")}


def test_an_unfiltered_loop_may_show_any_code() -> None:
    assert ("conditions", "merge", None) in reads(
        page("{% for r in contact.conditions %}{{ r.text }}{% endfor %}")
    )


def test_a_loop_whose_body_shows_only_tested_codes_is_narrowed() -> None:
    found = reads(
        page(
            "{% for r in contact.conditions %}\n"
            '{% if r.code == "E11" %}{{ r.text }}{% elif r.code in ["I10", "I11"] %}b{% endif %}\n{% endfor %}'
        )
    )
    assert {code for _, _, code in found} == {"E11", "I10", "I11"}


@pytest.mark.parametrize(
    "inside",
    [
        '<br/>{% if r.code == "E11" %}a{% endif %}',  # an element for every record tells how many there are
        'x{% if r.code == "E11" %}a{% endif %}',
        '{% if r.code == "E11" %}a{% else %}b{% endif %}',
        '{% if r.code != "E11" %}a{% endif %}',
        '{% if not r.code == "E11" %}a{% endif %}',
        '{% if r.code == "E11" or r.date is upcoming %}a{% endif %}',
        '{% if r.code == "E11" %}{{ loop.index }}{% endif %}',  # tells how many others stand before it
        '{% if r.code == "E11" and loop.first %}a{% endif %}',
        '{% if r.code == "E11" %}a{% endif %}{{ r.date }}',
    ],
)
def test_a_loop_that_shows_anything_of_other_records_is_not_narrowed(inside: str) -> None:
    found = reads(page("{% for r in contact.conditions %}" + inside + "{% endfor %}"))
    assert ("conditions", "condition", None) in found or ("conditions", "merge", None) in found


def test_the_else_of_an_unfiltered_loop_tells_that_there_is_nothing_at_all() -> None:
    found = reads(
        page('{% for r in contact.conditions %}{% if r.code == "E11" %}a{% endif %}{% else %}b{% endfor %}')
    )
    assert ("conditions", "condition", None) in found


def test_the_code_of_a_test_holds_for_its_branch_only() -> None:
    found = analyse(
        page(
            "{% for r in contact.labs %}\n"
            '{% if r.code == "4548-4" and r.value > 9 %}\n{{ r.date }}\n{% endif %}\n{{ r.unit }}\n{% endfor %}'
        )
    ).reads
    by_place = {(read.place, read.origin): read.code for read in found}
    assert by_place["line 3", "merge"] == "4548-4"
    assert by_place["line 5", "merge"] is None


@pytest.mark.parametrize(
    "body",
    [
        "{% set x = contact.pregnant %}{% if x %}a{% endif %}",
        "{% set x = contact.pregnant %}{% set y = x %}{% if not y %}a{% endif %}",
        "{{ 'a' if contact.pregnant else 'b' }}",
        "{% set x = 'a' if contact.pregnant else 'b' %}{{ x }}",
        "{% if contact.given_name or contact.pregnant %}a{% endif %}",
        "{% if contact.pregnant == true %}a{% endif %}",
        "{{ contact.pregnant }}",
        "{{ contact.pregnant|upper|default('x') }}",
        "{{ contact.given_name ~ contact.pregnant }}",
        "{{ contact.city or contact.pregnant }}",
        "{% for m in contact.medications if contact.pregnant %}a{% endfor %}",
        "{% for m in contact.medications %}{% else %}{{ contact.pregnant }}{% endfor %}",
        "<a href='https://cedarrow.example.org/' title='{{ contact.pregnant }}'>x</a>",
        "<img src='https://cedarrow.example.org/a.png' alt='{{ contact.pregnant }}' />",
    ],
)
def test_no_way_of_writing_it_hides_a_field(body: str) -> None:
    assert "pregnant" in {field for field, _, _ in reads(page(body))}


@pytest.mark.parametrize(
    "body",
    [
        "{% set x = contact.medications %}{% for m in x %}{% set t = m %}{{ m.text }}{% endfor %}",
        "{% for m in contact.medications %}{% set t = m.text %}{{ t }}{% endfor %}",
        "{% for m in contact.medications %}{% set t = m.text ~ 'x' %}{% if t == 'a' %}{% endif %}{{ t }}{% endfor %}",
        "{{ contact.medications|length }}",
        "{% if contact.medications %}a{% endif %}",
        "{% if contact.medications is having('860975') %}a{% endif %}",
        "{% for a in contact.labs %}{% for m in contact.medications %}{{ m.date }}{% endfor %}{% endfor %}",
    ],
)
def test_no_way_of_writing_it_hides_a_record(body: str) -> None:
    analysis = analyse(page(body))
    known = [problem for problem in analysis.problems if "Compare a field" not in problem.what]
    assert not known
    assert "medications" in {read.field for read in analysis.reads}


def test_a_special_category_is_found_by_the_code_that_is_asked_for() -> None:
    found = analyse(page('{% if contact.conditions is having("B20") %}a{% endif %}')).reads
    assert [read.special for read in found] == [Special.HIV]
    found = analyse(
        page('{% for r in contact.conditions if r.code is startingwith("F1") %}a{% endfor %}')
    ).reads
    assert {read.special for read in found} == {Special.PART2_SUD}


def test_a_name_that_is_never_used_discloses_nothing() -> None:
    assert reads(page("{% set x = contact.pregnant %}a")) == set()


def test_the_text_part_is_read_too_with_its_own_lines() -> None:
    analysis = analyse(page("a"), text="Hi\n{{ contact.given_name }}")
    assert [read.place for read in analysis.reads] == ["text, line 2"]


def test_only_what_is_read_is_needed() -> None:
    needs = inspect(
        page(
            '{% for r in contact.labs if r.code == "4548-4" %}{{ r.value }}{% endfor %}'
            '{% if contact.conditions is having("E11") %}a{% endif %}{{ contact.age }}'
        )
    ).needs
    assert {key: need.forms for key, need in needs.items()} == {
        "age": {""},
        "conditions": {"within"},
        "labs": {"list", "code", "value"},
    }
    assert needs["labs"].codes == frozenset({"4548-4"})
    assert needs["conditions"].asked == {"E11"}


def test_words_of_the_body_that_tell_a_condition_are_noted_but_refuse_nothing() -> None:
    analysis = analyse(page("\nFive ideas for life with diabetes"))
    assert not analysis.problems
    assert [(note.place, note.what) for note in analysis.notes] == [
        ("line 1", "The text says “diabetes”, which tells diabetes.")
    ]
