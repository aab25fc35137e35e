"""The golden corpus: bytes that must never change without somebody deciding so.

A message row is rendered again from its values, byte for byte, and its hash is in the receipt. When this
fails after an upgrade of a library, the renderer is another one: raise `compiling.FORMAT` if it was us,
look at the difference, and write the corpus anew with SALUS_WRITE_GOLDEN=1.
"""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest

from salus.content import builtin, compiling, footers, inspecting, people, rendering
from salus.content.contracts import Draft, Rendered

from .desk import DOMAIN, HOUSE, LINKS, ORG, ROSA, column

GOLDEN = Path(__file__).parent / "golden"
EVERYTHING = column(
    "<mj-text css-class='a'>Hello {{ contact.given_name or 'you' }} &lt;&amp;&gt; ñ 漢 {{ contact.age }}, "
    "{% if contact.pregnant %}<b>yes</b>{% elif contact.gender == 'female' %}<i>she</i>{% else %}-{% endif %}"
    " <a href='https://cedarrow.example.org/a?b=1&amp;c=2' title='{{ contact.city }}'>page</a></mj-text>"
    "<mj-table><tr><th>A</th><th>B</th></tr>{% for r in contact.labs if r.value > 7 %}<tr><td>{{ r.text|upper }}</td>"
    "<td>{{ r.value }} {{ r.unit }}, {{ r.date }}</td></tr>{% else %}<tr><td>none</td></tr>{% endfor %}</mj-table>"
    "<mj-button href='{{ link.portal }}'>Open &#123;&#123; it }}</mj-button>"
    "<mj-image src='https://cedarrow.example.org/p.png' alt='{{ contact.physician }}' width='120px' />"
)
HOSTILE = {**ROSA, "given_name": "<Ana> 'O\"Neil' & Co", "city": 'x" onload="y', "physician": "{{ 7*7 }}"}
LETTERS = {
    f"{starter.key}.{language}": (starter.drafts[language], dict(builtin.sample_person()))
    for starter in builtin.starters(DOMAIN)
    for language in ("en", "es")
} | {
    "everything.en": (Draft("en", "From {{ org.name }}", "Pre", EVERYTHING), HOSTILE),
    "everything.es": (
        Draft("es", "De {{ org.name }}", "", EVERYTHING, "Hola {{ contact.given_name }}\n"),
        ROSA,
    ),
    "nobody.en": (Draft("en", "From {{ org.name }}", "Pre", EVERYTHING), {}),
}


def letter(name: str) -> Rendered:
    draft, person = LETTERS[name]
    sources = compiling.build(inspecting.inspect(draft, HOUSE, people.attributes(), people.special_of))
    elements = ["postal_address", "unsubscribe_link", "preference_link", "part2_notice"]
    footed = footers.with_footer(sources, draft.language, elements, HOUSE)
    ready = rendering.compiled(footed, language=draft.language, renderer=builtin.full_renderer())
    contact = people.formatter().contact(ready.needs, person, draft.language, date(2026, 11, 24))
    return ready.render(
        {"contact": contact, "org": ORG, "link": {**LINKS, "open": "https://t.example.org/o"}}
    )


def notice(name: str) -> Rendered:
    return builtin.notice(name[-2:]).render({"contact": {}, "org": ORG, "link": LINKS})


@pytest.mark.parametrize("name", [*sorted(LETTERS), "notice.en", "notice.es"])
def test_a_letter_has_the_bytes_it_always_had(name: str) -> None:
    made = notice(name) if name.startswith("notice") else letter(name)
    document = json.dumps(
        {"renderer": made.renderer, "subject": made.subject, "text": made.text, "html": made.html},
        ensure_ascii=False,
        indent=1,
    )
    file = GOLDEN / f"{name}.json"
    if os.environ.get("SALUS_WRITE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(document + "\n", encoding="utf-8")
    assert document + "\n" == file.read_text(encoding="utf-8")
