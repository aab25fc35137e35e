"""Reads MJML into a tree, strictly: what is not understood is refused, never passed on.

The tree is printed again before any other program sees it, so mrml, css-inline and mail programs all
read the same thing that the guard judged. Template tags are single signs of a private plane here.
"""

from __future__ import annotations

import bisect
import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from salus.content.addresses import PLANE
from salus.content.contracts import Problem
from salus.content.tags import Literal, Source, place

MAX_DEPTH = 40
VOID = frozenset({"br", "hr", "img"})
RAW = frozenset({"mj-style", "style", "script"})
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)")
_ATTRIBUTE = re.compile(r"""\s+([A-Za-z_:@*][\w:.@*-]*)(?:\s*=\s*("[^"]*"|'[^']*'))?""")
_TAG_END = re.compile(r"\s*(/?)>")
_BAD_SIGNS = frozenset({"Cc", "Cs", "Co"})
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BLANK = "\n\r\t"


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the template tag `index` stands."""

    index: int


@dataclass(slots=True)
class Element:
    """An element; texts are decoded, attribute values may hold signs of template tags."""

    name: str
    line: int
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | Slot | str] = field(default_factory=list)

    def walk(self) -> Iterator[Element]:
        """Yield this element and all below it, in order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()


def sign(index: int) -> str:
    """Return the sign that stands for the template tag `index`."""
    return chr(PLANE + index)


def split_signs(text: str) -> list[str | Slot]:
    """Cut `text` at the signs of template tags."""
    pieces: list[str | Slot] = []
    for piece in re.split("([\U000f0000-\U000ffffd])", text):
        if len(piece) == 1 and ord(piece) >= PLANE:
            pieces.append(Slot(ord(piece) - PLANE))
        elif piece:
            pieces.append(piece)
    return pieces


def bad_sign(text: str) -> str:
    """Return the first control, private or direction-changing character of `text`, or ""."""
    for char in text:
        if char in _BIDI or (unicodedata.category(char) in _BAD_SIGNS and char not in _BLANK):
            return char
    return ""


class _Refused(Exception):
    """Reading cannot go on; the problem is noted already."""


class _Parser:
    def __init__(self, source: Source) -> None:
        self.part = source.part
        self.problems: list[Problem] = []
        self._starts: list[int] = []
        self._lines: list[int] = []
        text: list[str] = []
        length = 0
        for piece in source.pieces:
            self._starts.append(length)
            self._lines.append(piece.line)
            text.append(piece.text if isinstance(piece, Literal) else sign(piece.index))
            length += len(text[-1])
        self.text = "".join(text)
        self.root = Element("", 1)
        self._open = [self.root]

    def line(self, at: int) -> int:
        """Return the author's line of offset `at`."""
        piece = max(bisect.bisect_right(self._starts, at) - 1, 0)
        if not self._starts:
            return 1
        return self._lines[piece] + self.text.count("\n", self._starts[piece], at)

    def problem(self, at: int, what: str, next_step: str = "") -> None:
        self.problems.append(Problem(place(self.part, self.line(at)), what, next_step))

    def run(self) -> None:
        at = 0
        while at < len(self.text):
            opening = self.text.find("<", at)
            end = len(self.text) if opening < 0 else opening
            self._text(at, end)
            if opening < 0:
                break
            at = self._markup(opening)
        for element in self._open[1:]:
            self.problems.append(
                Problem(
                    place(self.part, element.line),
                    f"<{element.name}> is never closed.",
                    f"Add </{element.name}>.",
                )
            )

    def _text(self, start: int, end: int) -> None:
        for piece in split_signs(self.text[start:end]):
            self._open[-1].children.append(self._decoded(piece, start) if isinstance(piece, str) else piece)

    def _decoded(self, text: str, at: int) -> str:
        decoded = html.unescape(text) if "&" in text else text
        if char := bad_sign(decoded):
            self.problem(at, f"There is a hidden character here (U+{ord(char):04X}).", "Remove it.")
            decoded = decoded.replace(char, "")
        return decoded

    def _markup(self, at: int) -> int:
        if self.text.startswith("<!--", at):
            return self._comment(at)
        match = _TAG.match(self.text, at)
        if match is None:
            what = "There is a < that begins no element."
            if self.text.startswith(("<!", "<?"), at):
                what = "Declarations and processing instructions are not part of a template."
            self.problem(at, what, "Write &lt; for the sign itself.")
            return at + 1
        return self._close(match) if match[1] else self._element(match)

    def _comment(self, at: int) -> int:
        end = self.text.find("-->", at + 4)
        if end < 0:
            self.problem(at, "A comment is never closed.", "Close it with -->.")
            raise _Refused
        if any(ord(char) >= PLANE for char in self.text[at:end]):
            self.problem(at, "A template tag stands inside an HTML comment.", "Use {# #} for comments.")
        return end + 3

    def _close(self, match: re.Match[str]) -> int:
        name = match[2].lower()
        end = _TAG_END.match(self.text, match.end())
        if end is None or end[1]:
            self.problem(match.start(), f"</{name}> is not written well.")
            return match.end()
        if len(self._open) > 1 and self._open[-1].name == name:
            self._open.pop()
        elif any(element.name == name for element in self._open):
            inner = self._open[-1]
            self.problem(match.start(), f"</{name}> closes before <{inner.name}> of line {inner.line}.")
            while self._open.pop().name != name:
                pass
        else:
            self.problem(match.start(), f"</{name}> closes nothing.", "Remove it.")
        return end.end()

    def _element(self, match: re.Match[str]) -> int:
        element = Element(match[2].lower(), self.line(match.start()))
        at = match.end()
        while (found := _ATTRIBUTE.match(self.text, at)) is not None:
            self._attribute(element, found)
            at = found.end()
        end = _TAG_END.match(self.text, at)
        if end is None:
            stray = self.text[at : at + 12].lstrip()[:1]
            if stray and ord(stray) >= PLANE:
                self.problem(
                    at,
                    f"A template tag stands among the attributes of <{element.name}>.",
                    "A tag stands in the text, or inside the quotes of href, alt or title.",
                )
            else:
                self.problem(
                    at, f"<{element.name}> is not written well.", 'Write every attribute as name="value".'
                )
            close = self.text.find(">", at)
            if close < 0:
                raise _Refused
            at = close + 1
        else:
            at = end.end()
        self._open[-1].children.append(element)
        if element.name in VOID or (end is not None and end[1]):
            return at
        if element.name in RAW:
            return self._raw(element, at)
        if len(self._open) > MAX_DEPTH:
            self.problem(at, "Elements are nested too deeply.")
            raise _Refused
        self._open.append(element)
        return at

    def _attribute(self, element: Element, found: re.Match[str]) -> None:
        name = found[1].lower()
        if found[2] is None:
            self.problem(found.start(1), f"{name} has no value.", f'Write {name}="...".')
        elif name in element.attributes:
            self.problem(found.start(1), f"{name} stands twice in <{element.name}>.")
        else:
            pieces = split_signs(found[2][1:-1])
            element.attributes[name] = "".join(
                self._decoded(piece, found.start()) if isinstance(piece, str) else sign(piece.index)
                for piece in pieces
            )

    def _raw(self, element: Element, at: int) -> int:
        end = re.compile(f"</{element.name}\\s*>", re.IGNORECASE).search(self.text, at)
        if end is None:
            self.problem(at, f"<{element.name}> is never closed.")
            raise _Refused
        content = self.text[at : end.start()]
        if any(ord(char) >= PLANE for char in content):
            self.problem(
                at, f"A template tag stands inside <{element.name}>.", "Styles are the same for all."
            )
        elif content.strip():
            element.children.append(content)
        return end.end()


def parse(source: Source) -> tuple[Element, tuple[Problem, ...]]:
    """Return the root (nameless) of the tree of an MJML `source`, and what was wrong with it."""
    for piece in source.pieces:
        if isinstance(piece, Literal) and (char := bad_sign(piece.text)):
            line = piece.line + piece.text[: piece.text.index(char)].count("\n")
            what = f"There is a hidden character here (U+{ord(char):04X})."
            return Element("", 1), (Problem(place(source.part, line), what, "Remove it."),)
    parser = _Parser(source)
    try:
        parser.run()
    except _Refused:
        pass
    except RecursionError:  # pragma: no cover - MAX_DEPTH is far below
        parser.problem(0, "Elements are nested too deeply.")
    return parser.root, tuple(parser.problems)
