"""Prepares what pages show of an analysis: PHI by class, and the source with its fields marked."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from salus.contacts import api as contacts
from salus.contacts.contracts import Read
from salus.content import api
from salus.content.contracts import Analysis, Classification, TemplateVersion
from salus.content.tags import Literal, cut

_OPEN = re.compile(r"\s*-?\s*(?:org|link)\.\w+\s*-?\s*")


@dataclass(frozen=True, slots=True)
class Disclosed:
    """One field that a message tells: its class, how (shown or only tested), where, limited to which codes."""

    phi_class: str
    special: str
    label: str
    shown: bool
    places: str
    codes: str


def disclosed(analysis: Analysis) -> list[Disclosed]:
    """Return one line a field, in the order in which the fields are read first."""
    by_field: dict[str, list[Read]] = defaultdict(list)
    for read in analysis.reads:
        by_field[read.field].append(read)
    known = api.readable_fields()
    return [
        Disclosed(
            phi_class=reads[0].phi_class.value,
            special=next((read.special.value for read in reads if read.special), ""),
            label=known[field].label if field in known else field,
            shown=any(read.origin == "merge" for read in reads),
            places=", ".join(dict.fromkeys(read.place for read in reads)),
            codes=_codes(reads),
        )
        for field, reads in by_field.items()
    ]


def _codes(reads: list[Read]) -> str:
    codes = dict.fromkeys(read.code for read in reads)
    if None in codes:
        return ""
    return ", ".join(contacts.name_of(str(code)) for code in codes)


def conditions(classification: Classification) -> str:
    """Return the conditions of a classification in words."""
    return ", ".join(contacts.name_of(code) for code in classification.conditions)


def marked(source: str) -> SafeString:
    """Return a source, escaped, a span a line, with every tag that reads a person marked in plum."""
    lines: list[list[SafeString]] = [[]]

    def write(text: str, shape: str) -> None:
        for number, part in enumerate(text.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append(format_html(shape, part))

    for piece in cut(source, "mjml").pieces:
        if isinstance(piece, Literal):
            write(piece.text, "{}")
            continue
        opening, closing = ("{{", "}}") if piece.kind == "output" else ("{%", "%}")
        is_open = _OPEN.fullmatch(piece.inside) is not None
        write(f"{opening}{piece.inside}{closing}", "{}" if is_open else '<span class="merge">{}</span>')
    joined = ((SafeString("".join(line)),) for line in lines)
    return format_html_join("", '<span class="ln">{}\n</span>', joined)


def state(version: TemplateVersion) -> tuple[str, str]:
    """Return (kind, words) of a version's review."""
    if version.classification is None:
        return "wait", "Not classified"
    if version.classification.confirmed_by is None:
        return "wait", "Waits for review"
    return "clear", "Confirmed"
