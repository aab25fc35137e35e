"""Words that were written for one message elsewhere, made ready like a template: as they are, with the closing elements."""

from __future__ import annotations

import html as markup
from collections.abc import Iterable

from salus.content import builtin, footers, inspecting
from salus.content.compiling import literal
from salus.content.contracts import House, Sources
from salus.content.rendering import Compiled, compiled

_PAGE = '<!doctype html><html lang="{language}"><head><meta charset="utf-8"></head><body>{body}</body></html>'


def letter(
    subject: str, html: str, text: str, *, language: str, elements: Iterable[str], house: House, payer: str
) -> Compiled:
    """Return the renderer of a letter; `html` is what stands inside the body. A plain text makes a plain page.

    No sign of it is read as a template's. Raises `BadInput` when the message must say what the organization
    has not given.
    """
    known = language if language in inspecting.LANGUAGES else "en"
    page = _PAGE.format(language=known, body=literal(html or _plain(text)))
    sources = Sources(literal(subject), page, literal(text), (), {})
    closed = footers.with_footer(sources, known, elements, house, payer)
    return compiled(closed, language=known, renderer=builtin.full_renderer())


def _plain(text: str) -> str:
    return f'<div style="white-space:pre-wrap">{markup.escape(text, quote=False)}</div>'
