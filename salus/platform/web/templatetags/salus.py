"""`{% load salus %}`: the small parts of a page, so that every page says the same thing the same way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.forms.forms import BaseForm
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from salus.kernel.phi import Phi
from salus.platform.web.shell import Group

register = template.Library()

GLYPHS = {
    "clear": "check",
    "portal": "phone",
    "wait": "clock",
    "refuse": "bar",
    "broke": "alert",
    "phi": "lock",
    "": "",
}
"""What each meaning looks like without its color."""

MASKED = "••••"


@register.simple_tag
@lru_cache(maxsize=500)
def icon(name: str, classes: str = "") -> SafeString:
    """`{% icon "check" "c-clear" %}`: a glyph that is decoration; the word beside it says it."""
    return format_html(
        '<svg class="i{}" aria-hidden="true"><use href="#i-{}"/></svg>',
        f" {classes}" if classes else "",
        name,
    )


@register.simple_tag
def rooms(groups: Iterable[Group]) -> SafeString:
    """`{% rooms nav_groups %}`: the doors of the navigation; most pages of a person show the same ones."""
    return _rooms(tuple(groups))


@lru_cache(maxsize=500)
def _rooms(groups: tuple[Group, ...]) -> SafeString:
    return render_to_string("salus/parts/rooms.html", {"groups": groups})


@register.simple_tag
def tag(kind: str, text: object, glyph: str | None = None) -> SafeString:
    """`{% tag "refuse" "Not allowed" %}`: clear, portal, wait, refuse, broke, phi or "" (neutral)."""
    name = ("cross" if kind == "broke" else GLYPHS[kind]) if glyph is None else glyph
    return format_html(
        '<span class="tag{}">{}{}</span>', f" is-{kind}" if kind else "", icon(name) if name else "", text
    )


@register.simple_tag
def phi_tag(phi_class: object, extra: str = "") -> SafeString:
    """`{% phi_tag "dates_of_care" "from the segment" %}`: a PHI class in the one color that means PHI."""
    words = str(phi_class).replace("_", " ").capitalize()
    return tag("phi", f"{words}, {extra}" if extra else words)


@register.simple_tag
def mask(count: int | None = None) -> SafeString:
    """`{% mask %}`: something protected, at a fixed length; with `count`, how many of it there are."""
    return format_html(
        '<span class="mask">{}{}{}</span>', icon("lock"), MASKED, f" ({count})" if count else ""
    )


@register.simple_tag
def opened(value: Phi[Any]) -> SafeString:
    """`{% opened value %}`: a `Phi` that was opened for a purpose; the only tag that shows one."""
    if not isinstance(value, Phi):
        raise TypeError("{% opened %} shows a Phi; anything else needs no mask")
    return format_html('<span class="open">{}</span>', value.reveal())


@register.simple_tag
def law(citation: str, url: str = "") -> SafeString:
    """`{% law "45 CFR 164.508(a)(3)" %}`: a citation in the voice of law, a link when there is an address."""
    if url:
        return format_html('<a class="law" href="{}">{}</a>', url, citation)
    return format_html('<span class="law">{}</span>', citation)


@register.simple_block_tag
def note(content: str, kind: str = "", glyph: str | None = None, role: str = "") -> SafeString:
    """`{% note "wait" %}<strong>It is slow.</strong> Nothing is lost.{% endnote %}`; role "alert" for failures."""
    name = GLYPHS[kind] if glyph is None else glyph
    return format_html(
        '<div class="note{}"{}>{}<span>{}</span></div>',
        f" is-{kind}" if kind else "",
        format_html(' role="{}"', role) if role else "",
        icon(name, f"c-{kind}" if kind else "") if name else "",
        content,
    )


def _percent(value: float, whole: float) -> str:
    return f"{max(0.0, min(100.0, 100.0 * value / whole)) if whole else 0.0:.1f}%"


@register.simple_tag
def bar(value: float, whole: float, kind: str = "clear", label: str = "", size: str = "thin") -> SafeString:
    """`{% bar 38 100 "clear" label="38% came back" %}`: one bar; without a label it is decoration."""
    height = {"thin": 6, "": 12, "tall": 28}[size]
    said = format_html('role="img" aria-label="{}"' if label else 'aria-hidden="true"', label)
    return format_html(
        '<svg class="bar{}" {}>{}</svg>',
        f" is-{size}" if size else "",
        said,
        _piece(kind, "0%", _percent(value, whole), height),
    )


@register.simple_tag
def stacked_bar(
    parts: Iterable[Sequence[Any]], label: str, size: str = "tall", whole: float = 0
) -> SafeString:
    """`{% stacked_bar parts label %}`: parts are (kind, value); "refuse" is hatched; `whole` leaves a rest."""
    pieces = [(str(kind), float(value)) for kind, value, *_ in parts]
    total = whole or sum(value for _, value in pieces)
    height = {"thin": 6, "": 12, "tall": 28}[size]
    at, drawn = 0.0, []
    for kind, value in pieces:
        if value > 0:
            drawn.append((_piece(kind, _percent(at, total), _percent(value, total), height),))
        at += value
    return format_html(
        '<svg class="bar{}" role="img" aria-label="{}">{}</svg>',
        f" is-{size}" if size else "",
        label,
        format_html_join("", "{}", drawn),
    )


def _piece(kind: str, x: str, width: str, height: int) -> SafeString:
    name, paint = ("fill", "url(#hatch)") if kind == "refuse" else ("class", f"f-{kind}")
    return format_html('<rect {}="{}" x="{}" width="{}" height="{}"/>', name, paint, x, width, height)


@register.simple_tag
def key(kind: str) -> SafeString:
    """`{% key "portal" %}`: the little square of a legend."""
    return format_html('<svg class="key" aria-hidden="true">{}</svg>', _piece(kind, "0", "10", 10))


@register.simple_tag
def clinic_mark(name: str) -> SafeString:
    """`{% clinic_mark clinic.name %}`: the first letter of an organization's name in its square."""
    letter = next((character for character in str(name) if character.isalnum()), "·").upper()
    return format_html(
        '<svg class="clinic-mark" width="34" height="34" viewBox="0 0 34 34" aria-hidden="true">'
        '<rect width="34" height="34" rx="9"/><text x="17" y="23" text-anchor="middle">{}</text></svg>',
        letter,
    )


@register.inclusion_tag("salus/parts/field.html")
def field(
    bound: BoundField, hint: str = "", segmented: bool = False, placeholder: str = ""
) -> dict[str, Any]:
    """`{% field form.name %}`: label, control, help, error; the first field in error gets the focus."""
    widget = bound.field.widget
    said = hint or bound.help_text
    base = bound.auto_id or bound.html_name
    help_id, error_id = f"{base}_help", f"{base}_error"
    described_by = " ".join(id_ for id_, there in ((help_id, said), (error_id, bound.errors)) if there)
    attrs: dict[str, Any] = {}
    if described_by:
        attrs["aria-describedby"] = described_by
    if bound.errors:
        attrs["aria-invalid"] = "true"
        if next((name for name in bound.form.fields if name in bound.form.errors), None) == bound.name:
            attrs["autofocus"] = True
    if placeholder:
        attrs["placeholder"] = placeholder
    if bound.is_hidden:
        kind = "hidden"
    elif isinstance(widget, CheckboxInput):
        kind = "choice"
    elif isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        kind = "group"
    else:
        kind = "plain"
        attrs["class"] = f"input {widget.attrs.get('class', '')}".strip()
        if "autocomplete" not in widget.attrs:
            attrs["autocomplete"] = "off"  # what staff write may be PHI: no browser keeps it for the next one
    return {
        "bound": bound,
        "kind": kind,
        "control": "" if kind == "group" else bound.as_widget(attrs=attrs),
        "options": list(bound) if kind == "group" else (),
        "segmented": segmented,
        "help": said,
        "help_id": help_id,
        "error_id": error_id,
        "described_by": described_by,
        "optional": not bound.field.required and kind in {"plain", "group"},
    }


@register.inclusion_tag("salus/parts/form_errors.html")
def form_errors(form: BaseForm) -> dict[str, Any]:
    """`{% form_errors form %}`: what is wrong with the form as a whole, above its fields."""
    return {"form": form}


@register.inclusion_tag("salus/parts/pager.html")
def pager(first_url: str = "", next_url: str = "", next_label: str = "Next") -> dict[str, Any]:
    """`{% pager first_url next_url %}`: keyset paging; an empty address leaves its link out."""
    return {"first_url": first_url, "next_url": next_url, "next_label": next_label}


@register.filter
def number(value: object) -> str:
    """`{{ 1406|number }}`: 1,406."""
    return f"{value:,}" if isinstance(value, int | float) else str(value)


@register.filter
def share(value: float, whole: float) -> str:
    """`{{ part|share:whole }}`: 15%, "under 1%" for little, "0%" for nothing."""
    if not whole or not value:
        return "0%"
    percent = 100 * value / whole
    return "under 1%" if percent < 1 else f"{percent:.0f}%"


@register.filter
def moment(value: datetime | None) -> str:
    """`{{ at|moment }}`: 24 Nov 2026, 9:58 in the organization's time zone; "never" for None."""
    if value is None:
        return "never"
    return date_format(timezone.localtime(value), "j M Y, G:i")


@register.filter
def ago(value: datetime | None) -> str:
    """`{{ at|ago }}`: just now, 2 min ago, 5 hours ago, 3 days ago; a date when it is longer than that."""
    if value is None:
        return "never"
    seconds = (timezone.now() - value).total_seconds()
    if seconds < 45:
        return "just now"
    for limit, size, one, many in (
        (3600, 60, "min", "min"),
        (86400, 3600, "hour", "hours"),
        (7 * 86400, 86400, "day", "days"),
    ):
        if seconds < limit:
            count = max(1, round(seconds / size))
            return f"{count} {one if count == 1 else many} ago"
    return date_format(timezone.localtime(value), "j M Y")


@register.filter
def words(value: object) -> str:
    """`{{ "provider_treatment"|words }}`: Provider treatment."""
    return str(value).replace("_", " ").replace(":", ", ").capitalize()


@register.filter
def contact_number(value: int) -> str:
    """`{{ contact.number|contact_number }}`: C-004 218, how every page names a contact whose name is masked."""
    text = f"{value:06d}"
    return f"C-{text[:-3]} {text[-3:]}"


@register.filter
def short_id(value: object) -> str:
    """`{{ id|short_id }}`: the last part of an id, which tells neighbors apart; show the whole in a title."""
    return f"…{str(value)[-12:]}"


@register.filter
def as_hex(value: bytes | str, digits: int = 0) -> str:
    """`{{ root|as_hex }}`, `{{ step|as_hex:16 }}`: a hash in groups of four, cut after so many digits."""
    plain = value if isinstance(value, str) else value.hex()
    shown = plain[:digits] if digits else plain
    return " ".join(shown[at : at + 4] for at in range(0, len(shown), 4)) + (
        " …" if digits and digits < len(plain) else ""
    )
