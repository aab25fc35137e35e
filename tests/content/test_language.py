"""What the template language has, and what it refuses with a line and a way out."""

from __future__ import annotations

import pytest

from .desk import analyse, body, column, faults, page, render, words


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ("{{ contact.given_name }}", "Rosa"),
        ('{{ contact["given_name"] }}', "Rosa"),
        ("{{ contact.given_name|upper }}", "ROSA"),
        ('{{ contact.city|default("your town") }}', "your town"),
        ('{{ contact.city or "your town" }}', "your town"),
        ('{{ contact.given_name ~ " " ~ contact.family_name }}', "Rosa Delgado"),
        ("{{ contact.medications|length }}", "2"),
        ("{{ contact.age }}", "64"),
        ("{{ contact.birth_date }}", "November 25, 1961"),
        ("{{ contact.gender }}", "Female"),
        ("{{ contact.treatment_plans }}", "diabetes self management"),
        ('{{ "Ms." if contact.gender == "female" else "Mx." }}', "Ms."),
        ('{{ "x" if contact.gender == "male" }}', ""),
        ("{{ 3 }} {{ 2.5 }}", "3 2.5"),
        ('{% if contact.gender in ["female", "other"] %}yes{% endif %}', "yes"),
        ('{% if contact.gender not in ["male"] %}yes{% endif %}', "yes"),
        ("{% if contact.age >= 64 and contact.age < 65 %}yes{% endif %}", "yes"),
        ("{% if 65 > contact.age %}yes{% endif %}", "yes"),
        ("{% if contact.income > 5 %}no{% else %}unknown{% endif %}", "unknown"),
        ('{% if contact.birth_date < "1962-01-01" %}yes{% endif %}', "yes"),
        ('{% if contact.due_date < "2030-01-01" %}no{% else %}none{% endif %}', "none"),
        ("{% if contact.pregnant %}no{% elif contact.given_name %}yes{% endif %}", "yes"),
        ("{% if not contact.pregnant %}yes{% endif %}", "yes"),
        ("{% if contact.pregnant == false %}yes{% endif %}", "yes"),
        ('{% if contact.conditions is having("E11") %}yes{% endif %}', "yes"),
        ('{% if contact.conditions is having("vs:diabetes") %}yes{% endif %}', "yes"),
        ('{% if contact.conditions is not having("B20") %}yes{% endif %}', "yes"),
        ('{% if "diabetes_self_management" in contact.treatment_plans %}yes{% endif %}', "yes"),
        ("{% if contact.medications|length > 1 %}yes{% endif %}", "yes"),
        ("{% if contact.procedures %}no{% else %}none{% endif %}", "none"),
        ('{% for r in contact.labs if r.code == "2093-3" %}{{ r.value }} {{ r.unit }}{% endfor %}', "188 mg/dL"),
        ("{% for r in contact.labs if r.value > 8 and r.value < 9 %}{{ r.text }} {{ r.date }}{% endfor %}", "Hemoglobin A1c August 20, 2025"),
        ('{% for r in contact.conditions if r.code is startingwith("E") %}{{ r.code }}{% endfor %}', "E11.9"),
        ('{% for r in contact.conditions if r.code is within("E11") %}{{ loop.index }}{% endfor %}', "1"),
        ("{% for r in contact.procedures %}x{% else %}none{% endfor %}", "none"),
        ("{% for r in contact.labs %}{% if loop.first %}{{ r.date }}{% endif %}{% endfor %}", "February 12, 2026"),
        ("{% set n = contact.given_name %}{{ n }} {{ n|upper }}", "Rosa ROSA"),
        ("{% set ms = contact.medications %}{% for m in ms %}{{ loop.index }}{% endfor %}", "12"),
        ("{% set woman = contact.gender == 'female' %}{% if woman %}yes{% endif %}", "yes"),
        ("a {%- if contact.given_name -%} b {%- endif -%} c", "abc"),
        ("a{# {{ contact.given_name }} #}b", "ab"),
    ],
)  # fmt: skip
def test_what_the_language_has(tag: str, shown: str) -> None:
    rendered = render(page(tag))
    assert words(rendered) == shown
    assert rendered.text.strip() == shown


@pytest.mark.parametrize(
    ("tag", "what"),
    [
        ("{{ contact.nickname }}", "There is no field contact.nickname"),
        ("{{ patient.given_name }}", "There is no field patient.given_name"),
        ("{{ contact }}", "There is no field contact"),
        ("{{ org.password }}", "There is no field org.password"),
        ("{{ loop.first }}", "There is no field loop.first"),
        ("{{ contact.given_name.upper() }}", "There is no field|Functions are not part"),
        ("{{ contact.given_name.__class__ }}", "There is no field"),
        ('{{ contact["__class__"] }}', "There is no field"),
        ("{{ range(10) }}", "Functions are not part"),
        ("{{ debug() }}", "Functions are not part"),
        ("{{ contact.given_name|safe }}", "There is no filter 'safe'"),
        ("{{ contact.given_name|tojson }}", "There is no filter"),
        ("{{ contact.given_name|attr('x') }}", "There is no filter"),
        ("{{ contact.given_name|default(contact.family_name) }}", "Here should be a text"),
        ("{{ contact.age > 3 }}", "The outcome of a test cannot be shown"),
        ("{{ true }}", "True and false cannot be shown"),
        ("{{ contact.medications }}", "is a list of records"),
        ("{% for m in contact.medications %}{{ m }}{% endfor %}", "cannot be shown"),
        ("{% for m in contact.medications %}{{ m.id }}{% endfor %}", "has no part id"),
        ("{% for m in contact.given_name %}{% endfor %}", "is not a list of records"),
        ("{% for m in contact.medications[0] %}{% endfor %}", "not picked by its number"),
        ("{% for a, b in contact.medications %}{% endfor %}", 'Here should be "in"'),
        ("{% set contact = org.name %}", "The name contact is taken"),
        ("{% set x = org.name %}{% set x = org.phone %}", "The name x is taken"),
        ("{% set x %}a{% endset %}", "gives one name to one value|There is no tag"),
        ("{% if contact.x %}{% endif %}", "There is no field"),
        ("{% if contact.given_name > 'a' %}{% endif %}", "Only numbers and dates have an order"),
        ("{% if contact.age == '64' %}{% endif %}", "A number is compared with a number"),
        ("{% if contact.birth_date > 'soon' %}{% endif %}", "A date is written in the form"),
        ("{% if contact.given_name == contact.family_name %}{% endif %}", "Compare a field with a constant"),
        ("{% if contact.conditions is having('vs:nonsense') %}{% endif %}", "There is no value set"),
        ("{% if contact.conditions is odd %}{% endif %}", "There is no test 'odd'"),
        ("{% macro m() %}{% endmacro %}", "Macros are not part"),
        ("{% include 'x' %}", "Includes are not part"),
        ("{% import 'x' as y %}", "Imports are not part"),
        ("{% extends 'x' %}", "Inheritance are not part|Inheritance"),
        ("{% raw %}{{ contact.given_name }}{% endraw %}", "Raw blocks are not part"),
        ("{% autoescape false %}{% endautoescape %}", "Changes of escaping"),
        ("{% with x = 1 %}{% endwith %}", "With blocks"),
        ("{% do x %}", "Do statements"),
        ("{% banana %}", "There is no tag 'banana'"),
        ("{% if contact.given_name %}", "This if is never closed"),
        ("{% endif %}", "no if is open"),
        ("{% for m in contact.medications %}{% endif %}{% endfor %}", "no if is open"),
        ("{% else %}", "no if or for is open"),
        ("{{ contact.given_name", "never ends"),
        ("{{ }}", "Here should be a name"),
        ("{{ contact.given_name contact.family_name }}", "Here should be the end"),
        ("{{ contact.given_name + 'x' }}", "has no meaning inside a tag"),
        ("{{ contact.given_name; }}", "has no meaning inside a tag"),
        ('{{ "\\x41" }}', "may not hold the escape"),
        ("{{ " + "(" * 40 + "org.name" + ")" * 40 + " }}", "nested too deeply"),
        ("{% if " + "not " * 40 + "contact.pregnant %}{% endif %}", "nested too deeply"),
        ("{{ " + " ~ ".join(["org.name"] * 400) + " }}", "longer than 2000|too much at once"),
        ("{{ link.portal ~ contact.given_name }}", "A link stands alone"),
        ("{% set i = loop.index %}", "There is no field loop.index"),
    ],
)  # fmt: skip
def test_what_the_language_refuses(tag: str, what: str) -> None:
    found = faults(page(tag))
    assert any(one in found for one in what.split("|")), found


def test_every_problem_is_listed_with_its_line() -> None:
    found = analyse(page("\n{{ contact.a }}\n{{ contact.b }}\n\n{% if contact.c %}{% endif %}")).problems
    assert [problem.place for problem in found] == ["line 2", "line 3", "line 5"]


def test_a_name_given_inside_a_block_is_not_seen_outside() -> None:
    assert "There is no field x" in faults(
        page("{% if contact.pregnant %}{% set x = contact.city %}{% endif %}{{ x }}")
    )


def test_names_that_double_what_they_stand_for_stop_in_time() -> None:
    bomb = "{% set a0 = org.name ~ org.name %}" + "".join(
        f"{{% set a{n} = a{n - 1} ~ a{n - 1} %}}" for n in range(1, 40)
    )
    assert "says too much at once" in faults(page(bomb + "{{ a39 }}"))


def test_loops_nest_two_deep_and_no_deeper() -> None:
    twice = "{% for a in contact.labs %}{% for b in contact.labs %}x{% endfor %}{% endfor %}"
    thrice = "{% for c in contact.labs %}" + twice + "{% endfor %}"
    assert not faults(page(twice))
    assert "nested at most 2 deep" in faults(page(thrice))


def test_a_loop_around_rows_repeats_whole_rows_in_their_table() -> None:
    # mrml alone moves this loop out of the table: two records in, none out.
    shown = body(
        render(
            column(
                "<mj-table><tr><th>Medicine</th></tr>"
                "{% for m in contact.medications %}<tr><td>{{ m.text }}</td></tr>{% endfor %}</mj-table>"
            )
        )
    )
    table = shown[shown.index("<th") : shown.index("</tbody></table>", shown.index("<th"))]
    assert table.count("<tr>") == 2
    assert table.index("Metformin") < table.index("Lisinopril")


def test_a_greater_sign_in_a_condition_stays_one() -> None:
    assert "grown" in body(render(page("{% if contact.age > 60 %}grown{% endif %}")))


def test_a_condition_can_show_a_whole_section() -> None:
    section = "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>"
    mjml = f"<mjml><mj-body>{{% if contact.pregnant %}}{section.format('A')}{{% else %}}{section.format('B')}{{% endif %}}</mj-body></mjml>"
    assert ">B</div>" in body(render(mjml))
    assert ">A</div>" not in body(render(mjml))
