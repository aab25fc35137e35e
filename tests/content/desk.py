"""The desk of a template author, for tests: an invented clinic, short ways to inspect and to render."""

from __future__ import annotations

import html
import re
from datetime import date
from typing import Any

from salus.content import compiling, inspecting, people, rendering
from salus.content.contracts import Analysis, Draft, House, Rendered, Sources

DOMAIN = "cedarrow.example.org"
ORG = {
    "name": "Cedar Row Clinic",
    "phone": "(207) 555-0100",
    "postal_address": "12 Cedar Row, Portland, ME 04101",
}
HOUSE = House((DOMAIN,), ORG)
LINKS = {
    "portal": "https://my.cedarrow.example.org/m/abc",
    "choices": "https://my.cedarrow.example.org/c/abc",
    "unsubscribe": "https://my.cedarrow.example.org/u/abc",
    "why": "https://my.cedarrow.example.org/w/abc",
}
TODAY = date(2026, 11, 24)
ROSA: dict[str, Any] = {
    "given_name": "Rosa",
    "family_name": "Delgado",
    "birth_date": "1961-11-25",
    "gender": "female",
    "pregnant": False,
    "language": "es",
    "conditions": [
        {"id": "1", "system": "icd10", "code": "E11.9", "text": "Type 2 diabetes", "date": "2019-06-03"},
        {"id": "2", "system": "icd10", "code": "I10", "text": "Hypertension", "date": "2017-02-21"},
    ],
    "medications": [
        {"id": "3", "code": "860975", "text": "Metformin 500 mg", "date": "2025-11-05"},
        {"id": "4", "code": "314076", "text": "Lisinopril 10 mg", "date": "2024-01-15"},
    ],
    "labs": [
        {
            "id": "5",
            "code": "4548-4",
            "text": "Hemoglobin A1c",
            "date": "2026-02-12",
            "value": 7.9,
            "unit": "%",
        },
        {
            "id": "6",
            "code": "4548-4",
            "text": "Hemoglobin A1c",
            "date": "2025-08-20",
            "value": 8.4,
            "unit": "%",
        },
        {
            "id": "7",
            "code": "2093-3",
            "text": "Cholesterol",
            "date": "2026-02-12",
            "value": 188,
            "unit": "mg/dL",
        },
    ],
    "treatment_plans": ["diabetes_self_management"],
}


def page(body: str) -> str:
    """Return MJML with `body` in one mj-text; the body begins on line 1."""
    return f"<mjml><mj-body><mj-section><mj-column><mj-text>{body}</mj-text></mj-column></mj-section></mj-body></mjml>"


def column(body: str) -> str:
    """Return MJML with `body` directly in a column."""
    return f"<mjml><mj-body><mj-section><mj-column>{body}</mj-column></mj-section></mj-body></mjml>"


def draft(
    mjml: str, *, subject: str = "A note", preheader: str = "", text: str = "", language: str = "en"
) -> Draft:
    """Return a draft."""
    return Draft(language, subject, preheader, mjml, text)


def inspect(mjml: str, **other: str) -> inspecting.Inspected:
    """Return everything that is known of a draft."""
    return inspecting.inspect(draft(mjml, **other), HOUSE, people.attributes(), people.special_of)


def analyse(mjml: str, **other: str) -> Analysis:
    """Return what inspection says of a draft."""
    return inspect(mjml, **other).analysis


def faults(mjml: str, **other: str) -> str:
    """Return the problems of a draft as one text, "" when there are none."""
    return "\n".join(f"{problem.place}: {problem.what}" for problem in analyse(mjml, **other).problems)


def reads(mjml: str, **other: str) -> set[tuple[str, str, str | None]]:
    """Return (field, origin, code) of every read of a draft, which must have no problems."""
    analysis = analyse(mjml, **other)
    assert not analysis.problems, analysis.problems
    return {(read.field, read.origin, read.code) for read in analysis.reads}


def build(mjml: str, **other: str) -> Sources:
    """Compile a draft."""
    return compiling.build(inspect(mjml, **other))


def compile_(mjml: str, **other: str) -> rendering.Compiled:
    """Return the renderer of a draft, without a footer."""
    language = other.get("language", "en")
    return rendering.compiled(build(mjml, **other), language=language, renderer=compiling.renderer())


def values(compiled: rendering.Compiled, person: dict[str, Any], **links: str) -> dict[str, Any]:
    """Return the formatted values of `person` for a renderer."""
    contact = people.formatter().contact(compiled.needs, person, compiled.language, TODAY)
    return {"contact": contact, "org": ORG, "link": {**LINKS, **links}}


def render(mjml: str, person: dict[str, Any] | None = None, **other: str) -> Rendered:
    """Render a draft for a person, Rosa unless another is given."""
    compiled = compile_(mjml, **other)
    return compiled.render(values(compiled, ROSA if person is None else person))


def body(rendered: Rendered) -> str:
    """Return what stands between the body tags."""
    return rendered.html.partition("<body")[2].partition(">")[2].rpartition("</body>")[0]


def words(rendered: Rendered) -> str:
    """Return the visible words of the page, as a reader sees them."""
    shown = re.sub(r"<!--.*?-->|<[^>]*>", "\n", body(rendered), flags=re.DOTALL)
    return " ".join(html.unescape(shown).split())
