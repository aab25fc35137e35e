"""Tokens go through mrml and css-inline and come out whole, and nothing is taken for a tag that is none."""

from __future__ import annotations

import pytest

from salus.content import compiling
from salus.content.compiling import build
from salus.kernel.errors import BadInput

from .desk import (
    LINKS,
    ROSA,
    body,
    column,
    compile_,
    inspect,
    page,
    render,
    values,
    words,
)
from .desk import (
    build as compile_sources,
)


@pytest.mark.parametrize(
    "written",
    [
        "&#123;&#123; contact.pregnant }}",
        "&#x7b;&#x7b; contact.pregnant &#125;&#125;",
        "&lcub;&lcub; contact.pregnant }}",
        "&lbrace;% if contact.pregnant %}",
        "&#123;# comment #}",
        "{&#123; 7 * 7 }}",
        "a { b } c",
        "{ {{ org.phone }} }",
        "{{ org.phone }}}",
        "{",
        "}}",
        "%}",
    ],
)
def test_signs_that_look_like_tags_stay_text(written: str) -> None:
    import html

    rendered = render(page(f"<p>{written}</p>"))
    shown = html.unescape(written).replace("{{ org.phone }}", "(207) 555-0100")
    assert words(rendered) == " ".join(shown.split())
    assert rendered.text.strip() == shown


def test_braces_in_styles_stay_styles() -> None:
    mjml = (
        "<mjml><mj-head><mj-style>@media (max-width:400px){ #a{color:red}.b{color:#fff}}</mj-style></mj-head>"
        "<mj-body><mj-section><mj-column><mj-text>a</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    assert "{ #a{color:red}.b{color:#fff}}" in render(mjml).html


def test_styles_are_put_into_the_elements() -> None:
    mjml = (
        "<mjml><mj-head><mj-style>.a{color:#123456}</mj-style></mj-head><mj-body><mj-section><mj-column><mj-text>"
        "<b class='a'>x</b></mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    assert 'style="color: #123456;"' in render(mjml).html


def test_nothing_is_loaded_from_elsewhere() -> None:
    html = render(page("a")).html
    assert "fonts.googleapis" not in html
    assert "http" not in html.replace("http://www.w3.org/1999/xhtml", "").replace("http-equiv", "")


def test_subject_and_preheader_are_in_the_page() -> None:
    rendered = render(page("a"), subject="News from {{ org.name }}", preheader="In {{ org.name }} & near")
    assert rendered.subject == "News from Cedar Row Clinic"
    assert "<title>News from Cedar Row Clinic</title>" in rendered.html
    assert "In Cedar Row Clinic &amp; near</div>" in rendered.html
    assert 'lang="en"' in rendered.html


def test_a_subject_that_is_markup_is_text_in_the_page_and_plain_in_the_header() -> None:
    rendered = render(page("a"), subject='</title><b>"x"</b> & y', preheader='</div><i title="z">')
    assert rendered.subject == '</title><b>"x"</b> & y'
    assert "<b>" not in rendered.html
    assert "<i" not in rendered.html


def test_the_page_speaks_the_language_of_the_version() -> None:
    rendered = render(page("{{ contact.birth_date }}"), language="es")
    assert '<html lang="es"' in rendered.html
    assert words(rendered) == "25 de noviembre de 1961"


def test_every_page_that_is_linked_can_be_given_an_address_of_its_own() -> None:
    sources = compile_sources(
        column(
            '<mj-text><a href="https://cedarrow.example.org/a?x=1&amp;y=2">Our  hours</a> <a href="mailto:x@cedarrow.example.org">m</a>'
            ' <a href="https://cedarrow.example.org/a?x=1&amp;y=2">again</a> <a href="{{ link.portal }}">p</a></mj-text>'
            '<mj-button href="https://cedarrow.example.org/b">Go {{ contact.city }}</mj-button>'
        )
    )
    assert [(link.key, link.url, link.label) for link in sources.links] == [
        ("l0", "https://cedarrow.example.org/a?x=1&y=2", "Our hours"),
        ("l1", "https://cedarrow.example.org/b", "Go"),
    ]


def test_links_lead_to_the_pages_unless_addresses_are_given() -> None:
    compiled = compile_(page('<a href="https://cedarrow.example.org/a?x=1&amp;y=2">x</a>'))
    plain = compiled.render(values(compiled, ROSA))
    assert 'href="https://cedarrow.example.org/a?x=1&amp;y=2"' in plain.html
    assert "https://cedarrow.example.org/a?x=1&y=2" in plain.text
    counted = compiled.render(values(compiled, ROSA, l0="https://t.cedarrow.example.org/q?a=1&b=2"))
    assert 'href="https://t.cedarrow.example.org/q?a=1&amp;b=2"' in counted.html
    assert "https://t.cedarrow.example.org/q?a=1&b=2" in counted.text


def test_addresses_written_into_an_authored_text_are_counted_as_well() -> None:
    compiled = compile_(
        page('<a href="https://cedarrow.example.org/a">x</a>'),
        text="See https://cedarrow.example.org/a, or https://cedarrow.example.org/c.",
    )
    assert [link.key for link in compiled.links] == ["l0", "l1"]
    rendered = compiled.render(
        values(compiled, ROSA, l0="https://t.example.org/1", l1="https://t.example.org/2")
    )
    assert rendered.text == "See https://t.example.org/1, or https://t.example.org/2.\n"


def test_what_has_a_problem_is_not_compiled() -> None:
    with pytest.raises(BadInput, match="line 1: There is no field"):
        build(inspect(page("{{ contact.nothing }}")))


def test_a_lost_or_moved_tag_stops_the_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    inspected = inspect(page("{{ contact.city }} {{ contact.gender }}"))
    whole = compiling._styled
    for harm in (
        lambda html: html.replace("<!--~1~-->", ""),
        lambda html: html.replace("<!--~1~-->", "<!--~2~-->"),
        lambda html: html + "<!--~1~-->",
        lambda html: (
            html.replace("<!--~1~-->", "X").replace("<!--~2~-->", "<!--~1~-->").replace("X", "<!--~2~-->")
        ),
        lambda html: html.replace("qzsalusqz", "q"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(compiling, "_styled", lambda page, harm=harm: harm(whole(page)))
            with pytest.raises(BadInput, match="lost or moved"):
                build(inspected)


def test_a_second_look_finds_elements_that_slipped_in(monkeypatch: pytest.MonkeyPatch) -> None:
    inspected = inspect(page("a"))
    whole = compiling._styled
    for strange in ("<script>1</script>", "<IFRAME src=x></IFRAME>", "<svg/onload=x>", "<form>"):
        with monkeypatch.context() as patch:
            patch.setattr(
                compiling, "_styled", lambda page, s=strange: whole(page).replace("</body>", s + "</body>")
            )
            with pytest.raises(BadInput, match="is not part of a template"):
                build(inspected)


def test_a_message_that_gmail_would_cut_is_refused() -> None:
    with pytest.raises(BadInput, match="longer than 100,000"):
        compile_(page("<p>word</p>" * 9_000))


def test_our_own_words_cannot_be_forged() -> None:
    with pytest.raises(BadInput):
        compile_(page("qzsalusqz0qz"))


def test_the_renderer_names_every_library() -> None:
    made = compiling.renderer()
    assert made.startswith("salus/1+mrml/")
    assert "css-inline/" in made
    assert "minijinja/" in made
    assert " " not in made


def test_no_link_is_left_to_chance() -> None:
    assert set(LINKS) == {"portal", "choices", "unsubscribe", "why"}
    assert LINKS["portal"] in body(render(page('<a href="{{ link.portal }}">x</a>')))
