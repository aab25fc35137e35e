"""One message from formatted values: escaped, complete or refused, the same bytes every time."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from salus.content.rendering import RenderFailed, plain_values
from salus.kernel.errors import BadInput

from .desk import LINKS, ORG, ROSA, body, column, compile_, page, render, values

HOSTILE = "<script>alert('1')</script> \"x\" & {{ contact.family_name }} {% raw %}"


def test_a_name_that_is_markup_is_shown_as_text() -> None:
    rendered = render(page("{{ contact.given_name }}"), {**ROSA, "given_name": HOSTILE})
    assert "<script" not in body(rendered)
    assert (
        "&lt;script&gt;alert(&#x27;1&#x27;)&lt;&#x2f;script&gt; &quot;x&quot; &amp; {{ contact.family_name }} {% raw %}"
        in body(rendered)
    )
    assert rendered.text == HOSTILE + "\n"


def test_a_name_cannot_leave_its_attribute() -> None:
    rendered = render(
        page("<img src='https://cedarrow.example.org/p.png' alt='{{ contact.given_name }}' />"),
        {**ROSA, "given_name": 'x" onerror="y'},
    )
    assert 'alt="x&quot; onerror=&quot;y"' in body(rendered)


def test_a_name_with_line_breaks_and_hidden_signs_becomes_one_line() -> None:
    rendered = render(page("{{ contact.given_name }}"), {**ROSA, "given_name": "A\r\nBcc: x\u202e\x00B"})
    assert rendered.text == "A  Bcc: xB\n"


def test_a_value_that_was_not_given_is_an_error_that_names_no_value() -> None:
    compiled = compile_(page("{{ contact.given_name }} {{ contact.city }}"))
    with pytest.raises(RenderFailed) as failed:
        compiled.render({"contact": {"given_name": "Rosalind-Canary"}, "org": ORG, "link": LINKS})
    assert "not given" in str(failed.value)
    assert "Canary" not in str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__


def test_an_endless_body_runs_out_of_fuel() -> None:
    compiled = compile_(
        page("{% for a in contact.labs %}{% for b in contact.labs %}x{% endfor %}{% endfor %}")
    )
    with pytest.raises(RenderFailed, match="too many records"):
        compiled.render({"contact": {"labs": [{}] * 2_000}, "org": ORG, "link": LINKS})


def test_forty_records_are_far_from_the_limit() -> None:
    lab = {
        "id": "1",
        "code": "4548-4",
        "text": "Hemoglobin A1c",
        "date": "2026-02-12",
        "value": 7.9,
        "unit": "%",
    }
    rendered = render(
        column(
            "<mj-table>{% for a in contact.labs %}<tr><td>{{ a.text }} {{ a.value }} {{ a.date }}</td></tr>{% endfor %}</mj-table>"
        ),
        {"labs": [lab] * 200},
    )
    assert body(rendered).count("7.9") == 200


@pytest.mark.parametrize(
    "url",
    [
        "javascript:x",
        "http://evil.example/",
        'https://a.example/"onclick="x',
        "https://a.example/ b",
        "https://a.example/<b>",
        7,
        None,
    ],
)
def test_a_link_that_is_no_https_address_is_refused(url: Any) -> None:
    compiled = compile_(page('<a href="{{ link.portal }}">x</a>'))
    with pytest.raises(BadInput, match="https"):
        compiled.render({"contact": {}, "org": ORG, "link": {**LINKS, "portal": url}})


def test_a_link_that_is_shown_is_never_dead() -> None:
    compiled = compile_(page('<a href="{{ link.portal }}">x</a>'))
    with pytest.raises(BadInput, match=r"link\.portal"):
        compiled.render({"contact": {}, "org": ORG, "link": {**LINKS, "portal": ""}})
    other = compile_(page("no link"))
    other.render({"contact": {}, "org": ORG, "link": {**LINKS, "portal": ""}})


def test_loopback_links_serve_the_demo() -> None:
    compiled = compile_(page('<a href="{{ link.portal }}">x</a>'))
    rendered = compiled.render(
        {"contact": {}, "org": ORG, "link": {**LINKS, "portal": "http://localhost:8480/m/1"}}
    )
    assert 'href="http://localhost:8480/m/1"' in rendered.html


def test_the_same_values_give_the_same_bytes_in_every_thread() -> None:
    compiled = compile_(
        page("{{ contact.given_name }} {% for m in contact.medications %}{{ m.text }}{% endfor %}")
    )
    people = [{**ROSA, "given_name": f"Person {n}"} for n in range(40)]
    expected = [compiled.render(values(compiled, person)) for person in people]
    wrong: list[int] = []

    def work(start: int) -> None:
        wrong.extend(
            n
            for n in range(start, start + 200)
            if compiled.render(values(compiled, people[n % 40])) != expected[n % 40]
        )

    threads = [threading.Thread(target=work, args=(n * 7,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert expected == [
        compile_(
            page("{{ contact.given_name }} {% for m in contact.medications %}{{ m.text }}{% endfor %}")
        ).render(values(compiled, person))
        for person in people
    ]


def test_only_dicts_lists_and_strings_are_values() -> None:
    assert plain_values({"contact": {"a": "b", "c": [{"d": "e"}]}})
    for strange in (1, None, object(), b"x", {1: "a"}, [1], {"a": {"b": 2}}):
        assert not plain_values({"contact": {"a": strange}})


def test_formatted_values_are_plain() -> None:
    compiled = compile_(
        page(
            "{{ contact.age }}{{ contact.gender }}{% if contact.pregnant %}x{% endif %}{{ contact.treatment_plans }}"
            "{% for r in contact.labs if r.value > 1 and r.date is past %}{{ r.value }}{{ r.date }}{% endfor %}"
        )
    )
    assert plain_values(values(compiled, ROSA))
