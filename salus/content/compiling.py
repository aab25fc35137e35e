"""Turns an inspected draft into templates that only MiniJinja has to read when a message is made.

Every tag is a token while mrml and css-inline are at work: mrml would move a loop out of a table and
write `>` as `&gt;`. Afterwards each token must be there once and in its place, or nothing is compiled.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

import css_inline
import mrml
import nh3

from salus.content.addresses import is_web
from salus.content.contracts import Link, Problem, Sources
from salus.content.inspecting import Inspected, Part
from salus.content.markup import VOID, Element, Slot, split_signs
from salus.content.tags import Literal
from salus.kernel.errors import BadInput

FORMAT = 1
"""Goes up when this module writes other bytes for the same draft."""

MAX_HTML = 100_000
"""Gmail cuts a message at 102 kB and hides the rest, the footer first."""

_COMMENT = "<!--~{}~-->"
_TOKENS = re.compile(r"<!--~(\d+)~-->|qzsalusqz(\d+)qz")
_WORD = "qzsalusqz{}qz"
_BRACE = re.compile(r"\{(?=[{%#]|\Z)")
_FORBIDDEN = frozenset(
    {
        "applet",
        "audio",
        "base",
        "button",
        "embed",
        "form",
        "frame",
        "iframe",
        "input",
        "link",
        "math",
        "object",
        "script",
        "select",
        "svg",
        "textarea",
        "video",
    }
)
_STRUCTURE = frozenset({"mj-body", "mj-column", "mj-hero"})
_URL = re.compile(r"https://[!-~]+")
_TAIL = ".,;:!?)]}'\""


def renderer() -> str:
    """Return what makes the bytes: our own format and the libraries, by version."""
    return _renderer()


@functools.cache
def _renderer() -> str:
    libraries = "+".join(f"{name}/{version(name)}" for name in ("mrml", "css-inline", "minijinja"))
    return f"salus/{FORMAT}+{libraries}"


@dataclass(slots=True)
class _Tokens:
    """Hands out numbers for what is put back later."""

    printed: list[str] = field(default_factory=list)
    in_order: list[int] = field(default_factory=list)
    in_attributes: set[int] = field(default_factory=set)
    links: dict[str, Link] = field(default_factory=dict)

    def comment(self, printed: str) -> str:
        """Return a token for a place in the text."""
        self.printed.append(printed)
        self.in_order.append(len(self.printed) - 1)
        return _COMMENT.format(len(self.printed) - 1)

    def word(self, printed: str) -> str:
        """Return a token for a place inside an attribute or a title."""
        self.printed.append(printed)
        self.in_attributes.add(len(self.printed) - 1)
        return _WORD.format(len(self.printed) - 1)

    def link(self, url: str, label: str) -> str:
        """Return the tag that prints the address of the page `url`."""
        link = self.links.get(url)
        if link is None:
            link = self.links[url] = Link(f"l{len(self.links)}", url, label)
        return "{{ link." + link.key + "|safe }}"


def literal(text: str) -> str:
    """Return `text` so that MiniJinja prints it as it is, whatever signs it holds."""
    return _BRACE.sub('{{ "\\\\u007b" }}', text)


def build(inspected: Inspected) -> Sources:
    """Return the compiled form of a draft without problems; raises `BadInput` naming the place."""
    if inspected.analysis.problems:
        first = inspected.analysis.problems[0]
        raise BadInput(first.what, place=first.place, next_step=first.next_step)
    tokens = _Tokens()
    source = _mjml(inspected, tokens)
    if "qzsalusqz" in inspected.draft.mjml + inspected.draft.subject + inspected.draft.preheader:
        raise BadInput("The template holds a word that Salus keeps for itself.", place="qzsalusqz")
    page = _styled(_rendered(source))
    _verify(page, tokens)
    if len(page) > MAX_HTML:
        raise BadInput(
            f"The message is longer than {MAX_HTML:,} characters.",
            place="mjml",
            next_step="Gmail would cut it: shorten it.",
        )
    pieces = []
    at = 0
    for match in _TOKENS.finditer(page):
        pieces += [literal(page[at : match.start()]), tokens.printed[int(match[1] or match[2])]]
        at = match.end()
    pieces.append(literal(page[at:]))
    text = _text(inspected, tokens)
    subject = _line(inspected.parts["subject"])
    return Sources(subject, "".join(pieces), text, tuple(tokens.links.values()), inspected.needs)


def _line(part: Part, *, for_html: bool = False) -> str:
    return "".join(
        literal(html.escape(piece.text) if for_html else piece.text)
        if isinstance(piece, Literal)
        else part.meaning.printed[piece.index]
        for piece in part.source.pieces
    ).strip()


def _mjml(inspected: Inspected, tokens: _Tokens) -> str:
    """Print the tree as MJML again, with title and preheader, and tokens for the tags."""
    printed = inspected.parts["mjml"].meaning.printed
    root = next(child for child in inspected.tree.children if isinstance(child, Element))
    title = f"<mj-title>{tokens.word(_line(inspected.parts['subject'], for_html=True))}</mj-title>"
    preheader = _line(inspected.parts["preheader"], for_html=True)
    preview = f"<mj-preview>{tokens.word(preheader)}</mj-preview>" if preheader else ""
    head = "".join(
        "".join(_print(child, printed, tokens) for child in part.children if isinstance(child, Element))
        for part in root.children
        if isinstance(part, Element) and part.name == "mj-head"
    )
    body = next(part for part in root.children if isinstance(part, Element) and part.name == "mj-body")
    return (
        f'<mjml lang="{inspected.draft.language}" dir="ltr"><mj-head>{title}{preview}{head}</mj-head>'
        f"{''.join(_print(body, printed, tokens))}</mjml>"
    )


def _print(element: Element, printed: Mapping[int, str], tokens: _Tokens) -> str:
    return "".join(_pieces(element, printed, tokens))


def _pieces(element: Element, printed: Mapping[int, str], tokens: _Tokens) -> Iterator[str]:
    yield f"<{element.name}"
    for name, value in element.attributes.items():
        yield f' {name}="{_attribute(element, name, value, printed, tokens)}"'
    if element.name in VOID:
        yield " />"
        return
    yield ">"
    for child in element.children:
        if isinstance(child, Element):
            yield from _pieces(child, printed, tokens)
        elif isinstance(child, str):
            yield child if element.name == "mj-style" else html.escape(child, quote=False)
        elif printed[child.index]:
            token = tokens.comment(printed[child.index])
            yield f"<mj-raw>{token}</mj-raw>" if element.name in _STRUCTURE else token
    yield f"</{element.name}>"


def _attribute(element: Element, name: str, value: str, printed: Mapping[int, str], tokens: _Tokens) -> str:
    if name == "href" and is_web(value):
        return tokens.word(tokens.link(value, _label(element)))
    return "".join(
        html.escape(piece) if isinstance(piece, str) else tokens.word(printed[piece.index])
        for piece in split_signs(value)
    )


def _label(element: Element) -> str:
    words = " ".join(child for inner in element.walk() for child in inner.children if isinstance(child, str))
    return " ".join((words or element.attributes.get("alt", "")).split())[:80]


def _rendered(source: str) -> str:
    try:
        return str(mrml.to_html(source, render_options=mrml.RenderOptions(fonts={})).content)
    except (OSError, ValueError) as error:
        raise BadInput("The MJML could not be turned into HTML.", place="mjml") from error


@functools.cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


def _styled(page: str) -> str:
    try:
        return _inliner().inline(page)
    except ValueError as error:
        raise BadInput("The styles could not be put in.", place="mj-style") from error


def _verify(page: str, tokens: _Tokens) -> None:
    """Make sure that every token came through once and in order, and that nothing strange came with it."""
    found = [(match[1], match[2]) for match in _TOKENS.finditer(page)]
    in_order = [int(comment) for comment, _ in found if comment]
    words = {int(word) for _, word in found if word}
    if in_order != tokens.in_order or words != tokens.in_attributes:
        raise BadInput(
            "A template tag was lost or moved while the page was laid out.",
            place="mjml",
            next_step="Put the tag into an mj-text or a cell of its own.",
        )
    # A second reading by the parser that browsers use: nothing may be there that the guard did not see.
    harmful = nh3.clean(page, tags=set(_FORBIDDEN), clean_content_tags=set(), attributes={})
    for name in _FORBIDDEN:
        if f"<{name}" in harmful:
            raise BadInput(f"<{name}> is not part of a template.", place="mjml")


def _text(inspected: Inspected, tokens: _Tokens) -> str:
    part = inspected.parts[inspected.text_part]
    pieces = []
    for piece in split_signs(inspected.text_signs):
        if isinstance(piece, Slot):
            pieces.append(part.meaning.printed[piece.index])
        else:
            pieces.append(_linked(piece, tokens))
    return "".join(pieces).rstrip() + "\n"


def _linked(text: str, tokens: _Tokens) -> str:
    """Return literal text with every written page address as the tag that prints its link."""
    pieces, at = [], 0
    for match in _URL.finditer(text):
        url = match[0].rstrip(_TAIL)
        pieces += [literal(text[at : match.start()]), tokens.link(url, "")]
        at = match.start() + len(url)
    pieces.append(literal(text[at:]))
    return "".join(pieces)


def problem_of(error: BadInput) -> Problem:
    """Return an error of `build` as a problem to be listed."""
    return Problem(error.place or "mjml", error.what, error.next_step)


__all__ = ["build", "literal", "problem_of", "renderer"]
