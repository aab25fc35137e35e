"""Properties of templates: what is not declared never shows, not even by what it changes."""

from __future__ import annotations

import html
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from salus.contacts.api import covers
from salus.content import tags
from salus.content.compiling import literal
from salus.content.rendering import RenderFailed, compiled

from .desk import LINKS, ORG, analyse, build, compile_, faults, inspect, page, values, words

CODES = ("E11", "E11.9", "I10", "B20")
SCALARS = ("given_name", "city", "gender", "age", "birth_date", "pregnant", "physician")
MODEST = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

# People ---------------------------------------------------------------------------------------------


def records(field: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    record = st.fixed_dictionaries(
        {
            "code": st.sampled_from(CODES),
            "text": st.sampled_from(["alpha", "beta", "<b>"]),
            "date": st.sampled_from(["2020-01-01", "2026-11-24", "2027-05-05"]),
        },
        optional={"value": st.sampled_from([1, 7.5, 9]), "unit": st.just("%")},
    )
    return st.lists(record, max_size=4).map(
        lambda found: [{**one, "id": f"{field}{number:02d}"} for number, one in enumerate(found)]
    )


def people() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"conditions": records("c"), "labs": records("l")},
        optional={
            "given_name": st.sampled_from(["Ana", "Bo", "<i>"]),
            "city": st.sampled_from(["Bath", "Saco"]),
            "gender": st.sampled_from(["female", "male"]),
            "birth_date": st.sampled_from(["1950-01-01", "2010-01-01"]),
            "pregnant": st.booleans(),
            "physician": st.sampled_from(["Dr. Osei", "Dr. Lund"]),
        },
    )


# Templates ------------------------------------------------------------------------------------------


@st.composite
def scalar_tests(draw: st.DrawFn) -> str:
    return draw(
        st.sampled_from(
            [
                "contact.pregnant",
                "contact.pregnant == true",
                "contact.given_name",
                'contact.gender == "female"',
                'contact.gender in ["male"]',
                "contact.age >= 65",
                'contact.birth_date < "1990-01-01"',
                "contact.conditions",
                "contact.labs|length > 1",
                'contact.conditions is having("E11")',
                'contact.labs is having("vs:diabetes")',
                'contact.city is startingwith("B")',
            ]
        )
    )


@st.composite
def record_tests(draw: st.DrawFn, var: str) -> str:
    return draw(
        st.sampled_from(
            [
                f'{var}.code == "E11"',
                f'"I10" == {var}.code',
                f'{var}.code != "E11"',
                f'{var}.code in ["E11", "B20"]',
                f'{var}.code not in ["I10"]',
                f'{var}.code is within("E11")',
                f'{var}.code is not within("vs:diabetes")',
                f'{var}.code is startingwith("E1")',
                f"{var}.value > 7",
                f"{var}.date is upcoming",
                f'{var}.text == "alpha"',
                f"{var}.unit",
            ]
        )
    )


@st.composite
def conditions_(draw: st.DrawFn, variables: tuple[str, ...]) -> str:
    def atom() -> str:
        of_record: bool = draw(st.booleans())
        if variables and of_record:
            var: str = draw(st.sampled_from(variables))
            return draw(record_tests(var))
        return draw(scalar_tests())

    form = draw(
        st.sampled_from(["{}", "not {}", "{} and {}", "{} or {}", "({} and {}) or {}", "not ({} or {})"])
    )
    return form.format(*(atom() for _ in range(form.count("{}"))))


@st.composite
def outputs(draw: st.DrawFn, variables: tuple[str, ...]) -> str:
    choices = [f"contact.{name}" for name in SCALARS] + ["contact.labs|length"]
    for var in variables:
        choices += [f"{var}.code", f"{var}.text", f"{var}.date", f"{var}.value", "loop.index"] * 2
    one, other = draw(st.sampled_from(choices)), draw(st.sampled_from(choices))
    form = draw(
        st.sampled_from(
            ["{a}", "{a}", "{a} ~ {b}", "{a} or {b}", "{a}|upper", "{a} if {t} else {b}", '{a}|default("z")']
        )
    )
    return "{{ " + form.format(a=one, b=other, t=draw(conditions_(variables))) + " }}"


@st.composite
def bodies(draw: st.DrawFn, variables: tuple[str, ...] = (), depth: int = 0) -> str:
    made = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["text", "space", "output", "if", "for", "set"]))
        name = f"n{depth}{draw(st.integers(0, 99))}"
        inner = "x" if depth > 2 else draw(bodies(variables, depth + 1)) if kind == "if" else ""
        if kind == "text":
            made.append(draw(st.sampled_from(["x", "<b>y</b>", "<br>"])))
        elif kind == "space":
            made.append(" ")
        elif kind == "output":
            made.append(draw(outputs(variables)))
        elif kind == "if":
            tail = draw(
                st.sampled_from(["", "{% else %}q", "{% elif " + draw(conditions_(variables)) + " %}r"])
            )
            made.append("{% if " + draw(conditions_(variables)) + " %}" + inner + tail + "{% endif %}")
        elif kind == "for" and len(variables) < 2 and depth < 3:
            source = draw(st.sampled_from(["contact.conditions", "contact.labs"]))
            keep = " if " + draw(conditions_((name,))) if draw(st.booleans()) else ""
            keep = keep if "loop" not in keep else ""
            inside = draw(bodies((*variables, name), depth + 1))
            tail = draw(st.sampled_from(["", "{% else %}none"]))
            made.append("{% for " + f"{name} in {source}{keep}" + " %}" + inside + tail + "{% endfor %}")
        elif kind == "set":
            value = draw(
                st.sampled_from(["contact.pregnant", "contact.city", *(f"{v}.text" for v in variables)])
            )
            made.append(
                f"{{% set {name} = {value} %}}"
                + draw(st.sampled_from(["", "{{ " + name + " }}", "{% if " + name + " %}s{% endif %}"]))
            )
    return "".join(made)


@st.composite
def code_tests(draw: st.DrawFn) -> str:
    demanding = [
        'r.code == "E11"',
        '"I10" == r.code',
        'r.code in ["E11", "B20"]',
        'r.code is within("E11")',
        'r.code is startingwith("E")',
    ]
    loose = [
        'r.code != "E11"',
        'r.code not in ["E11"]',
        'r.code is not within("E11")',
        "r.value > 7",
        "loop.first",
        "loop.index > 1",
    ]
    form = draw(
        st.sampled_from(["{}", "{}", "{}", "{}", "not {}", "{} and {}", "{} or {}", "not ({} and {})"])
    )
    atoms = demanding * 2 + loose
    return form.format(*(draw(st.sampled_from(atoms)) for _ in range(form.count("{}"))))


@st.composite
def narrow_loops(draw: st.DrawFn) -> str:
    """Draw loops over records that are truly, or nearly, limited to some codes: one defect at most in each."""
    shown = st.sampled_from(["x", "{{ r.text }}", "{{ loop.index }}", "{{ loop.length }}"])
    last, after, nothing, keep = "", " ", "", ""
    match draw(st.sampled_from(["nothing", "nothing", "else", "text", "elif", "keep", "empty", "empty"])):
        case "else":
            last = "{% else %}y"
        case "elif":
            last = "{% elif " + draw(code_tests()) + " %}" + draw(shown)
        case "text":
            after = draw(st.sampled_from(["z", "<br>", "{{ r.date }}", "{{ loop.index }}"]))
        case "keep":
            keep = draw(code_tests())
            keep = "" if "loop" in keep else f" if {keep}"
        case "empty":
            nothing = "{% else %}none"
    part = "{% if " + draw(code_tests()) + " %}" + draw(shown) + last + "{% endif %}" + after
    return "{% for r in contact.conditions" + keep + " %}" + part + nothing + "{% endfor %}"


# Properties -----------------------------------------------------------------------------------------


def disguised(
    draw: Callable[[st.SearchStrategy[int]], int], person: dict[str, Any], other: dict[str, Any], body: str
) -> dict[str, Any]:
    """Return `other` with everything that the analysis of `body` declares taken from `person`."""
    seen: dict[str, set[str | None]] = {}
    for read in analyse(page(body)).reads:
        seen.setdefault("birth_date" if read.field == "age" else read.field, set()).add(read.code)
    made = dict(other)
    for field, codes in seen.items():
        if None in codes or field not in {"conditions", "labs"}:
            made.pop(field, None)
            if field in person:
                made[field] = person[field]
            continue

        def told(record: dict[str, Any], codes: set[str | None] = codes) -> bool:
            return any(
                code == record["code"]
                or record["code"].startswith(str(code))
                or covers(str(code), record["code"])
                for code in codes
            )

        mixed = [record for record in person[field] if told(record)]
        for number, record in enumerate(one for one in other[field] if not told(one)):
            mixed.insert(draw(st.integers(0, len(mixed))), {**record, "id": f"{field[0]}{90 + number}"})
        made[field] = mixed
    return made


def assert_same_message(
    data: st.DataObject, body: str, person: dict[str, Any], other: dict[str, Any]
) -> None:
    twin = disguised(data.draw, person, other, body)
    ready = compile_(page(body))
    assert ready.render(values(ready, person)) == ready.render(values(ready, twin))


@MODEST
@given(st.data(), bodies(), people(), people())
def test_what_the_analysis_does_not_name_changes_no_byte(
    data: st.DataObject, body: str, person: dict[str, Any], other: dict[str, Any]
) -> None:
    """Non-interference: two people who agree in every declared field get the same message."""
    assume(not faults(page(body)))
    assert_same_message(data, body, person, other)


@settings(MODEST, max_examples=120)
@given(st.data(), narrow_loops(), records("c"), records("c"))
def test_records_with_other_codes_than_those_named_change_no_byte(
    data: st.DataObject, body: str, mine: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    """Non-interference of codes: the analysis narrows a loop only when nothing of other records shows."""
    assume(not faults(page(body)))
    assert_same_message(data, body, {"conditions": mine, "labs": []}, {"conditions": others, "labs": []})


ATOMS = (
    'r.code == "E11"',
    'r.code != "E11"',
    '"I10" == r.code',
    'r.code in ["E11", "B20"]',
    'r.code not in ["E11"]',
    'r.code is within("E11")',
    'r.code is not within("E11")',
    'r.code is startingwith("E")',
    "r.value > 7",
    "loop.first",
)
FORMS = ("{a}", "not {a}", "{a} and {b}", "{a} or {b}", "not ({a} and {b})")
SHAPES = (
    "{% if T %}x{% endif %}",
    " {% if T %}{{ r.text }}{% endif %} ",
    "{% if T %}{{ loop.index }}{% endif %}",
    "{% if T %}{% if loop.last %}x{% endif %}{% endif %}",
    "{% if T %}x{% else %}y{% endif %}",
    "{% if T %}x{% elif U %}y{% endif %}",
    "{% if T %}x{% endif %}z",
    "{% if T %}x{% endif %}<br>",
    "{% if T %}x{% endif %}{{ r.date }}",
    "{% if T %}x{% endif %}{% else %}none",
    "{% if T %}x{% endif %}{% if U %}y{% endif %}",
)
CROWD = [
    {"id": str(number), "code": code, "text": f"t{number}", "date": "2026-01-01", **value}
    for number, (code, value) in enumerate(
        [
            ("I10", {"value": 9}),
            ("E11", {}),
            ("B20", {"value": 1}),
            ("E11.9", {"value": 8}),
            ("Z00", {"value": 9}),
        ]
    )
]


def test_leaving_out_the_records_that_are_not_named_changes_no_word() -> None:
    """The narrowing is right: with every record given, the message says the same as with the named ones.

    White space between blocks may repeat for a record that shows nothing; it is never there to be seen,
    because such records are left out before.
    """
    narrowed = 0
    for number, (one, form, shape) in enumerate(itertools.product(ATOMS, FORMS, SHAPES)):
        other = ATOMS[number % len(ATOMS)]
        test = form.format(a=one, b=other)
        body = (
            "{% for r in contact.conditions %}"
            + shape.replace("T", test).replace("U", other)
            + "{% endfor %}"
        )
        ready = compile_(page("x"), text=body)
        if ready.needs["conditions"].codes is None:
            continue
        narrowed += 1
        wider = replace(ready, needs={"conditions": replace(ready.needs["conditions"], codes=None)})
        for crowd in (CROWD, CROWD[::-1], CROWD[:1], CROWD[4:]):
            person = {"conditions": [{**record, "id": str(place)} for place, record in enumerate(crowd)]}
            narrow, wide = (each.render(values(each, person)).text.split() for each in (ready, wider))
            assert "".join(narrow) == "".join(wide), body
    assert narrowed > 50


@MODEST
@given(bodies(), people())
def test_a_template_reads_only_what_was_opened_for_it(body: str, person: dict[str, Any]) -> None:
    """With nothing but the declared needs in its values, no template asks for more."""
    assume(not faults(page(body)))
    ready = compile_(page(body))
    given_values = values(ready, person)
    known = set(ready.needs)
    assert {key.partition("__")[0] for key in given_values["contact"]} <= known
    ready.render(given_values)  # strict: a field beyond the needs would raise


@MODEST
@given(st.text(alphabet=st.sampled_from("{}%#<>&\"' ax\\|-~/"), max_size=60))
def test_any_source_is_judged_and_never_breaks_the_judge(source: str) -> None:
    for mjml in (
        page(source),
        source,
        f"<mjml><mj-body><mj-section css-class='{source}'></mj-section></mj-body></mjml>",
    ):
        analysis = analyse(mjml)
        if not analysis.problems:
            compile_(mjml)
    inspect(page("x"), subject=source, preheader=source, text=source)


@MODEST
@given(st.text(max_size=80))
def test_literal_text_comes_out_as_it_went_in(text: str) -> None:
    """Escaping for HTML, tokens, mrml, css-inline, restoring, MiniJinja: the reader sees what was written."""
    clean = "".join(char for char in text if char.isprintable() and ord(char) < 0xE000)
    written = html.escape(clean.replace("{{", "{ {").replace("{%", "{ %").replace("{#", "{ #"))
    assume(written.strip() and not faults(page(written)))
    ready = compile_(page(written))
    shown = ready.render({"contact": {}, "org": ORG, "link": LINKS})
    assert words(shown) == " ".join(html.unescape(written).split())


@MODEST
@given(st.text(max_size=60))
def test_literals_are_printed_by_minijinja_as_they_are(text: str) -> None:
    from minijinja import Environment

    environment = Environment(keep_trailing_newline=True)
    assert environment.render_str(literal(text), "x.txt") == text.replace("\r\n", "\n") or "\r" in text


@MODEST
@given(st.text(max_size=60))
def test_no_value_becomes_markup(name: str) -> None:
    ready = compile_(page("<p>{{ contact.given_name }}</p>"))
    shown = ready.render({"contact": {"given_name": name}, "org": ORG, "link": LINKS}).html
    plain = ready.render({"contact": {"given_name": ""}, "org": ORG, "link": LINKS}).html
    assert shown.count("<") == plain.count("<")
    assert shown.count(">") == plain.count(">")
    assert shown.count('"') == plain.count('"')


@MODEST
@given(bodies())
def test_cutting_a_source_loses_nothing(body: str) -> None:
    source = tags.cut(body, "mjml")
    rebuilt = "".join(
        piece.text
        if isinstance(piece, tags.Literal)
        else ("{{" + piece.inside + "}}" if piece.kind == "output" else "{%" + piece.inside + "%}")
        for piece in source.pieces
    )
    assert rebuilt == body


def test_a_damaged_stored_source_fails_with_no_value() -> None:
    sources = replace(build(page("x")), html="{{ contact.")
    with pytest.raises(RenderFailed, match="could not be made"):
        compiled(sources, language="en", renderer="r")
