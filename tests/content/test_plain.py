"""The plain text that is made when the author gives none."""

from __future__ import annotations

from typing import Any

from .desk import ROSA, column, page, render


def text(mjml: str, person: dict[str, Any] | None = None) -> str:
    return render(mjml, person).text


def test_paragraphs_headings_and_lists_keep_their_shape() -> None:
    made = text(
        page(
            "<h1>Hello</h1>\n<p>One  two\nthree<br>four</p><ul><li>a</li><li>b</li></ul><ol><li>c</li><li>d</li></ol>e"
        )
    )
    assert made == "Hello\n\nOne two three\nfour\n\n- a\n- b\n\n1. c\n2. d\n\ne\n"


def test_links_and_buttons_show_where_they_lead() -> None:
    made = text(
        column(
            '<mj-text>See <a href="https://cedarrow.example.org/a">our hours</a> or <a href="tel:+12075550100">call</a>, '
            'or <a href="https://cedarrow.example.org/b">https://cedarrow.example.org/b</a>.</mj-text>'
            '<mj-button href="{{ link.portal }}">Read it</mj-button>'
        )
    )
    assert made == (
        "See our hours: https://cedarrow.example.org/a or call: +12075550100, or "
        "https://cedarrow.example.org/b.\n\nRead it: https://my.cedarrow.example.org/m/abc\n"
    )


def test_tables_become_lines_with_bars() -> None:
    made = text(
        column(
            "<mj-table><tr><th>Medicine</th><th><p>Since</p></th></tr>{% for m in contact.medications %}"
            "<tr><td>{{ m.text }}</td><td>{{ m.date }}</td></tr>{% endfor %}</mj-table><mj-text>End</mj-text>"
        )
    )
    assert made == (
        "Medicine | Since\nMetformin 500 mg | November 5, 2025\nLisinopril 10 mg | January 15, 2024\n\nEnd\n"
    )


def test_a_loop_of_items_leaves_no_blank_lines_and_an_empty_one_no_gap() -> None:
    mjml = page(
        "<p>Yours:</p><ul>{% for m in contact.medications %}<li>{{ m.text }}</li>{% endfor %}</ul><p>End</p>"
    )
    assert text(mjml) == "Yours:\n\n- Metformin 500 mg\n- Lisinopril 10 mg\n\nEnd\n"
    assert text(mjml, {**ROSA, "medications": []}) == "Yours:\n\nEnd\n"


def test_a_condition_inside_a_sentence_keeps_its_spaces() -> None:
    mjml = page(
        "<p>Hello {% if contact.given_name %}<b>dear</b> {% endif %}you{% if contact.pregnant %}, both{% endif %}.</p>"
    )
    assert text(mjml) == "Hello dear you.\n"


def test_pictures_speak_by_their_alt_text_and_rules_are_drawn() -> None:
    made = text(
        column(
            "<mj-image src='https://cedarrow.example.org/p.png' alt='Our door' /><mj-divider />"
            "<mj-image src='https://cedarrow.example.org/q.png' alt='' /><mj-spacer /><mj-text>a &amp; b &lt;c&gt;</mj-text>"
        )
    )
    assert made == "Our door\n\n------------------------\n\na & b <c>\n"


def test_an_authored_text_is_taken_as_it_is() -> None:
    made = render(
        page("x"),
        text="Hello {{ contact.given_name }},\n\n\n\n{% if contact.pregnant %}\na\n{% endif %}\nbye  \n",
    ).text
    assert made == "Hello Rosa,\n\nbye\n"
