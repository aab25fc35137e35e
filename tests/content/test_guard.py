"""Hostile and careless templates: nothing of a patient in the open, nothing foreign in a message."""

from __future__ import annotations

import pytest

from .desk import column, faults, page

OWN = "https://cedarrow.example.org"
BODY = "<mjml><mj-body></mj-body></mjml>"


@pytest.mark.parametrize("place", ["subject", "preheader"])
@pytest.mark.parametrize(
    "words",
    [
        "Dear {{ contact.given_name }}",
        "{{ contact.pregnant }}",
        "{% if contact.pregnant %}x{% endif %}",
        "{% set x = contact.city %}x",
        "{{ org.name or contact.city }}",
        "{{ 'a' if contact.pregnant else 'b' }}",
        "{{ link.portal }}",
        "{{ 'HI' ~ 'V' }}",
    ],
)
def test_nothing_of_a_person_stands_in_the_open(place: str, words: str) -> None:
    assert place in faults(page("a"), **{"subject": "A note", place: words})


@pytest.mark.parametrize("place", ["subject", "preheader"])
@pytest.mark.parametrize(
    "words",
    [
        "Your A1c",
        "your hba1c is due",
        "H.I.V. test",
        "Diabétes",
        "ＨＩＶ",
        "de\u00adpression?",
        "Mamografía",
        "your PrEP",
    ],
)
def test_a_word_that_tells_a_condition_is_refused_with_another_one(place: str, words: str) -> None:
    found = faults(page("a"), **{"subject": "A note", place: words})
    assert f"{place}: “" in found, found


def test_the_organizations_name_may_stand_in_the_subject() -> None:
    assert not faults(page("a"), subject="News from {{ org.name }}, {{ org.phone }}")


@pytest.mark.parametrize("subject", ["", "   ", "a\nBcc: x@evil.example", "a\x00b", "x" * 151, "a \u202eb"])
def test_a_subject_is_one_plain_line(subject: str) -> None:
    assert "subject" in faults(page("a"), subject=subject)


@pytest.mark.parametrize(
    "href",
    [
        "https://cedarrow.example.org/?n={{ contact.given_name }}",
        "{{ contact.city }}",
        "{{ org.name }}",
        "{{ link.portal }}?x={{ contact.city }}",
        "{{ link.portal }}#top",
        "https://cedarrow.example.org/{% if contact.pregnant %}a{% endif %}",
        "{% if contact.pregnant %}https://cedarrow.example.org{% endif %}",
        "http://cedarrow.example.org/",
        "HTTP://cedarrow.example.org/",
        "javascript:alert(1)",
        "java\tscript:alert(1)",
        " https://cedarrow.example.org/",
        "data:text/html,x",
        "ftp://cedarrow.example.org/",
        "//cedarrow.example.org/",
        "/relative",
        "#anchor",
        "https://evil.example/",
        "https://cedarrow.example.org.evil.example/",
        "https://evilcedarrow.example.org/",
        "https://cedarrow.example.org@evil.example/",
        "https://cedarrow.example.org\\@evil.example/",
        "https://cedarrow.example.org/\\..",
        "https://cedarrow.example.org/a b",
        "https://cédarrow.example.org/",
        "https://cedarrow.example.org/diabetes-class",
        "https://cedarrow.example.org/?topic=A1c",
        "mailto:nurse@evil.example",
        "mailto:nurse@cedarrow.example.org?bcc=x@evil.example",
        "mailto:nurse@cedarrow.example.org?subject=My%20diabetes",
        "tel:{{ contact.phone }}",
        "sms:+12075550100",
        "&#106;avascript:alert(1)",
        "",
    ],
)
def test_a_link_that_tells_or_leads_astray_is_refused(href: str) -> None:
    for body in (f"<a href='{href}'>x</a>", f'<a HREF="{href}">x</a>'):
        assert faults(page(body)), href
    assert faults(column(f"<mj-button href='{href}'>x</mj-button>"))


@pytest.mark.parametrize(
    "href",
    [
        OWN,
        f"{OWN}/visits?a=1&amp;b=2#c",
        "https://www.cedarrow.example.org:8443/x",
        "HTTPS://cedarrow.example.org/".replace("HTTPS", "https"),
        "{{ link.portal }}",
        "{{link.choices}}",
        "mailto:nurse@cedarrow.example.org",
        "mailto:nurse@cedarrow.example.org?subject=A%20question",
        "tel:+1 (207) 555-0100",
    ],
)
def test_a_good_link_is_fine(href: str) -> None:
    assert not faults(page(f'<a href="{href}">x</a>'))


@pytest.mark.parametrize(
    "picture",
    [
        "<img src='https://evil.example/p.png' alt='' />",
        "<img src='http://cedarrow.example.org/p.png' alt='' />",
        "<img src='https://cedarrow.example.org/{{ contact.given_name }}.png' alt='' />",
        "<img src='{{ link.portal }}' alt='' />",
        "<img src='data:image/png;base64,AAAA' alt='' />",
        "<img src='https://cedarrow.example.org/p.png' width='1' height='1' alt='' />",
        "<img src='https://cedarrow.example.org/p.png' width='2px' alt='' />",
        "<img src='https://cedarrow.example.org/p.png' style='display: none' alt='' />",
        "<img src='https://cedarrow.example.org/p.png' style='visibility:hidden' alt='' />",
        "<img src='https://cedarrow.example.org/p.png' style='opacity:0' alt='' />",
        "<img src='https://cedarrow.example.org/hiv.png' alt='' />",
        "<img src='https://cedarrow.example.org/p.png' />",
        "<img alt='x' />",
        "<img src='https://cedarrow.example.org/p.png' srcset='https://evil.example/p.png 2x' alt='' />",
        "<img src='https://cedarrow.example.org/p.png' onerror='x()' alt='' />",
        "{% if contact.pregnant %}<img src='https://cedarrow.example.org/p.png' alt='' />{% endif %}",
        "{% for m in contact.medications %}<b><img src='https://cedarrow.example.org/p.png' alt='' /></b>{% endfor %}",
    ],
)
def test_a_picture_that_tracks_or_tells_is_refused(picture: str) -> None:
    assert faults(page(picture))


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<SCRIPT src='https://cedarrow.example.org/x.js'></SCRIPT>",
        "<style>p{color:red}</style>",
        "<form action='https://cedarrow.example.org/'><input name='a' /></form>",
        "<iframe src='https://cedarrow.example.org/'></iframe>",
        "<object data='x'></object>",
        "<embed src='x' />",
        "<svg><script>1</script></svg>",
        "<math></math>",
        "<link rel='stylesheet' href='https://evil.example/x.css' />",
        "<meta http-equiv='refresh' content='0;url=https://evil.example' />",
        "<base href='https://evil.example/' />",
        "<video src='https://cedarrow.example.org/v'></video>",
        "<p onclick='x()'>a</p>",
        "<p ONLOAD='x()'>a</p>",
        "<p style='background:url(https://evil.example/p.png)'>a</p>",
        "<p style='background:u/**/rl(x)'>a</p>",
        "<p style='width:expression(1)'>a</p>",
        "<p style='a:\\75rl(x)'>a</p>",
        "<p style='color:{{ contact.city }}'>a</p>",
        "<p class='{{ contact.gender }}'>a</p>",
        "<p id='x'>a</p>",
        "<p background='https://evil.example/p.png'>a</p>",
        "<table background='https://evil.example/p.png'><tr><td>a</td></tr></table>",
        "<p {{ contact.city }}>a</p>",
        "<p {% if contact.pregnant %}class='x'{% endif %}>a</p>",
        "<{{ contact.city }}>a",
        "<!-- {{ contact.city }} -->",
        "<!-- {% if contact.pregnant %} -->",
        "<!DOCTYPE html>",
        "<?php 1 ?>",
        "<![CDATA[x]]>",
        "<b>a",
        "a</b>",
        "<b><i>a</b></i>",
        "<p>a<p>b</p></p>",
        "<a href='https://cedarrow.example.org/'><span><a href='https://cedarrow.example.org/'>x</a></span></a>",
        "a < b",
        "<table>a<tr><td>b</td></tr></table>",
        "<ul>{{ contact.city }}</ul>",
        "<tr><td>a</td></tr>",
        "<b class=x>a</b>",
        "<b class='x' class='y'>a</b>",
        "{% if contact.pregnant %}<b>{% endif %}a</b>",
        "<b>{% if contact.pregnant %}a</b>{% endif %}",
        "{% if contact.pregnant %}<b>{% else %}</b>{% endif %}",
        "&#xF0000; forged",
        "a\u202eb",
        "a\x07b",
        "\U000f0000",
        "https://cedarrow.example.org/?q={{ contact.city }}",
        "www.cedarrow.example.org/{{ contact.city }}",
        "cedarrow.example.org/{{ contact.city }}",
        "https://cedarrow.example.org/<b>{{ contact.city }}</b>",
        "{{ link.portal }}{{ contact.city }}",
        "{{ link.portal }}?a=b",
        "https://evil.example/ is nice",
    ],
)
def test_what_does_not_belong_in_a_message_is_refused(body: str) -> None:
    assert faults(page(body)), body


@pytest.mark.parametrize(
    "mjml",
    [
        "",
        "hello",
        "<html></html>",
        "<mjml></mjml>",
        "<mjml><mj-body></mj-body><mj-body></mj-body></mjml>",
        BODY + BODY,
        BODY + "{{ contact.city }}",
        "{% if contact.pregnant %}" + BODY + "{% endif %}",
        "<mjml><mj-head><mj-preview>a</mj-preview></mj-head><mj-body></mj-body></mjml>",
        "<mjml><mj-head><mj-title>a</mj-title></mj-head><mj-body></mj-body></mjml>",
        "<mjml><mj-head><mj-font name='x' href='https://evil.example/f' /></mj-head><mj-body></mj-body></mjml>",
        "<mjml><mj-head><mj-include path='/etc/passwd' /></mj-head><mj-body></mj-body></mjml>",
        "<mjml><mj-body><mj-include path='/etc/passwd' type='html' /></mj-body></mjml>",
        "<mjml><mj-head><mj-style>@import url(https://evil.example/x.css);</mj-style></mj-head><mj-body></mj-body></mjml>",
        "<mjml><mj-head><mj-style>a{background:url('https://evil.example/')}</mj-style></mj-head><mj-body></mj-body></mjml>",
        "<mjml><mj-head><mj-style>a{color:{{ contact.city }}}</mj-style></mj-head><mj-body></mj-body></mjml>",
        "<mjml><mj-head><mj-style></style><script>1</script></mj-style></mj-head><mj-body></mj-body></mjml>",
        "<mjml><mj-head><mj-attributes><mj-text color='{{ contact.city }}' /></mj-attributes></mj-head><mj-body></mj-body></mjml>",
        "<mjml><mj-head><mj-attributes><mj-all href='https://evil.example/' /></mj-attributes></mj-head><mj-body></mj-body></mjml>",
        "<mjml><mj-head><mj-html-attributes></mj-html-attributes></mj-head><mj-body></mj-body></mjml>",
        "<mjml><mj-body><mj-raw><script>1</script></mj-raw></mj-body></mjml>",
        "<mjml><mj-body><mj-raw><table>{{ contact.city }}</table></mj-raw></mj-body></mjml>",
        "<mjml><mj-body><mj-text>a</mj-text></mj-body></mjml>",
        "<mjml><mj-body>loose</mj-body></mjml>",
        "<mjml><mj-body>{{ contact.city }}</mj-body></mjml>",
        "<mjml><mj-body><mj-section>{% if contact.pregnant %}<mj-column></mj-column>{% endif %}</mj-section></mj-body></mjml>",
        "<mjml><mj-body><mj-section background-url='https://evil.example/p.png'></mj-section></mj-body></mjml>",
        "<mjml><mj-body><mj-section background-color='red;background:url(https://evil.example)'></mj-section></mj-body></mjml>",
        "<mjml><mj-body><mj-social><mj-social-element name='facebook'>x</mj-social-element></mj-social></mj-body></mjml>",
        "<mjml><mj-body><mj-carousel><mj-carousel-image src='https://evil.example/' /></mj-carousel></mj-body></mjml>",
        "<mjml><mj-body><mj-navbar></mj-navbar></mj-body></mjml>",
        "<mjml><mj-body><mj-section css-class='{{ contact.gender }}'></mj-section></mj-body></mjml>",
        column("<mj-text>never closed"),
        column("<mj-button>no href</mj-button>"),
        column("<mj-image src='https://cedarrow.example.org/p.png' width='1px' alt='' />"),
        column("<mj-image href='https://evil.example/' src='https://cedarrow.example.org/p.png' alt='' />"),
        column(
            "{% if contact.pregnant %}<mj-image src='https://cedarrow.example.org/p.png' alt='' />{% endif %}"
        ),
        "<mjml>" + "<mj-body>" * 60 + "</mj-body>" * 60 + "</mjml>",
        "<mjml><!-- never closed",
        "<mjml><mj-body",
        "x" * 200_001,
    ],
)
def test_a_page_that_is_not_safe_mjml_is_refused(mjml: str) -> None:
    assert faults(mjml)


@pytest.mark.parametrize(
    "text",
    [
        "See https://evil.example/",
        "See https://cedarrow.example.org/?q={{ contact.city }}",
        "See {{ link.portal }}/{{ contact.city }}",
        "See {{ link.portal }}?x=1",
        "See http://cedarrow.example.org/",
        "ftp://cedarrow.example.org/x",
        "https://cedarrow.example.org/{% if contact.pregnant %}a{% endif %}",
        "a\x00b",
        "a\u2066b",
        "x" * 100_001,
    ],
)
def test_the_text_part_is_guarded_too(text: str) -> None:
    assert faults(page("a"), text=text)


def test_the_text_part_may_hold_links_on_their_own() -> None:
    assert not faults(page("a"), text="Read it ({{ link.portal }}), or see https://cedarrow.example.org/a.")


def test_a_good_page_has_no_problem() -> None:
    assert not faults(
        "<mjml lang='en'><mj-head><mj-attributes><mj-all font-family='Georgia, serif' /><mj-class name='big' "
        "font-size='20px' /></mj-attributes><mj-style>@media (max-width: 400px) { .a > b { color: #123456 } }"
        "</mj-style></mj-head><mj-body background-color='#ffffff' width='600px'><mj-section padding='10px 0'>"
        "<mj-group><mj-column width='50%'><mj-text mj-class='big' css-class='a'>a &amp; b &nbsp; ü <b>x</b>"
        "<br>y</mj-text></mj-column><mj-column><mj-image src='https://cedarrow.example.org/p.png' alt='Door' "
        "width='200px' /><mj-divider border-color='#cccccc' /><mj-spacer height='10px' /></mj-column></mj-group>"
        "</mj-section><mj-raw><p style='color:#112233'>raw</p></mj-raw></mj-body></mjml>"
    )
