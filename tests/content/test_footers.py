"""What law wants below a message, in both languages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from salus.content import footers
from salus.content.compiling import renderer
from salus.content.contracts import House, Rendered
from salus.content.footers import with_footer
from salus.content.rendering import compiled
from salus.gate.contracts import Element
from salus.kernel.errors import BadInput

from .desk import HOUSE, LINKS, ORG, build, page


def shown(*elements: str, language: str = "en", payer: str = "", opened: str = "") -> Rendered:
    sources = with_footer(build(page("Body"), language=language), language, elements, HOUSE, payer)
    ready = compiled(sources, language=language, renderer=renderer())
    return ready.render({"contact": {}, "org": ORG, "link": {**LINKS, "open": opened}})


def test_every_reader_can_ask_why() -> None:
    assert shown().text == f"Body\n\n------------------------\nWhy did I get this? {LINKS['why']}\n"
    assert LINKS["why"] in shown().html
    assert "¿Por qué recibí esto?" in shown(language="es").html


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_commercial_message_has_address_and_way_out(language: str) -> None:
    made = shown(
        "postal_address", "unsubscribe_link", "list_unsubscribe", "list_unsubscribe_post", language=language
    )
    for part in (made.text, made.html):
        assert "12 Cedar Row, Portland, ME 04101" in part
        assert LINKS["unsubscribe"] in part


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_substance_use_record_carries_its_notice(language: str) -> None:
    made = shown("part2_notice", language=language)
    assert "42 CFR" in made.text
    assert "42 CFR" in made.html


def test_a_paid_message_names_the_payer_as_plain_text() -> None:
    made = shown("remuneration_statement", "ca_remuneration_source", payer="<b>Acme</b> & {{ Sons")
    assert "<b>Acme</b> & {{ Sons pays us" in made.text
    assert "&lt;b&gt;Acme&lt;/b&gt; &amp; {{ Sons pays us" in made.html


def test_californian_letters_are_fourteen_points() -> None:
    assert "font-size:14pt" in shown("ca_opt_out_14pt").html


def test_what_is_not_known_cannot_be_left_out() -> None:
    with pytest.raises(BadInput, match="payer"):
        shown("remuneration_statement")
    silent = House(HOUSE.domains, {**ORG, "postal_address": ""})
    with pytest.raises(BadInput, match="postal_address"):
        with_footer(build(page("a")), "en", ["postal_address"], silent)


def test_an_unknown_element_is_refused() -> None:
    with pytest.raises(BadInput, match="magic_words"):
        shown("magic_words")


def test_every_element_of_the_gate_is_known_here_in_both_languages() -> None:
    known = {element.value for element in Element}
    here = set(footers._data()["en"]) | footers.ELSEWHERE
    assert known <= here
    assert set(footers._data()["en"]) == set(footers._data()["es"])


def test_the_counter_of_opens_is_there_only_when_it_is_asked_for() -> None:
    assert "<img" not in shown().html
    made = shown(opened="https://t.example.org/o/1?a=1&b=2")
    assert (
        made.html.count('<img src="https://t.example.org/o/1?a=1&amp;b=2" width="1" height="1" alt=""') == 1
    )
    assert "t.example.org" not in made.text


def test_the_footer_stands_at_the_end_of_the_body() -> None:
    made = shown("postal_address").html
    assert made.index("Body") < made.index("12 Cedar Row") < made.index("</body>")
    with pytest.raises(BadInput, match="no body"):
        with_footer(replace(build(page("a")), html="<p>"), "en", [], HOUSE)
