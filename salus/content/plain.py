"""Makes a sensible plain text from the tree of a template, tags kept in their places."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from salus.content.elements import BLOCKS, PARTS
from salus.content.markup import Element, Slot, sign, split_signs

_PARAGRAPHS = (
    BLOCKS - {"div", "hr"} | PARTS | {"mj-section", "mj-column", "mj-wrapper", "mj-hero", "mj-raw", "mj-body"}
)
_LINES = frozenset({"div", "tr", "li", "caption"})
_SILENT = frozenset({"mj-head", "mj-spacer"})
_CELLS = frozenset({"td", "th"})
_RULE = "-" * 24


@dataclass(slots=True)
class _Writer:
    """Writes breaks before what follows them, so that a skipped block leaves no gap behind."""

    roles: Mapping[int, str]
    out: list[str] = field(default_factory=list)
    breaks: int = 0
    space: bool = False
    hold: bool = False
    """Just after a bullet or a bar: no break before the next words."""
    saved: list[int] = field(default_factory=list)

    def write(self, text: str) -> None:
        if self.hold:
            self.breaks, self.space, self.hold = 0, True, False
        if self.out:
            if self.breaks:
                self.out.append("\n" * self.breaks)
            elif self.space:
                self.out.append(" ")
        self.out.append(text)
        self.breaks, self.space = 0, False

    def words(self, text: str) -> None:
        flat = re.sub(r"[ \t\r\n]+", " ", text)
        if flat.startswith(" "):
            self.space = True
        if bare := flat.strip(" "):
            self.write(bare)
            self.space = flat.endswith(" ")

    def slot(self, slot: Slot, following: Sequence[Element | Slot | str] = ()) -> None:
        role = self.roles.get(slot.index)
        if role is None:
            self.write(sign(slot.index))
            return
        if self.space and not self.breaks:
            self.out.append(" ")
        self.space = False
        if role == "open":
            if self.breaks and self._goes_on_inline(following):
                self.out.append("\n" * self.breaks if self.out else "")
                self.breaks = 0
            # One break stands before the block, so that a loop does not repeat a blank line.
            self.saved.append(self.breaks)
            if self.breaks > 1 and self.out:
                self.out.append("\n")
        elif role == "close":
            self.breaks = max(self.breaks, self.saved.pop())
        if role in {"open", "middle"}:
            self.breaks = min(self.saved[-1], 1)
        self.out.append(sign(slot.index))

    def element(self, element: Element) -> None:
        name = element.name
        if name in _SILENT:
            return
        wanted = 2 if name in _PARAGRAPHS else 1 if name in _LINES else 0
        self.breaks = max(self.breaks, wanted)
        if name == "br":
            self.breaks, self.space = max(self.breaks, 1), False
        elif name in {"hr", "mj-divider"}:
            self.breaks = 2
            self.write(_RULE)
            self.breaks = 2
        elif name in {"img", "mj-image"}:
            self._value(element.attributes.get("alt", ""))
        elif name in {"a", "mj-button"}:
            self._link(element)
        elif name in {"ul", "ol"}:
            self._list(element)
        elif name == "tr":
            self._row(element)
        else:
            self.children(element)
        self.breaks = max(self.breaks, wanted)

    def _goes_on_inline(self, following: Sequence[Element | Slot | str]) -> bool:
        """Tell whether what a block shows first stands in the line, and not below it."""
        for child in following:
            if isinstance(child, Element):
                return child.name not in _PARAGRAPHS | _LINES | {"hr", "br"}
            if isinstance(child, Slot):
                if child.index not in self.roles:
                    return True
            elif child.strip():
                return True
        return False

    def children(self, element: Element) -> None:
        for number, child in enumerate(element.children):
            if isinstance(child, Element):
                self.element(child)
            elif isinstance(child, Slot):
                self.slot(child, element.children[number + 1 :])
            else:
                self.words(child)

    def _value(self, value: str) -> None:
        for piece in split_signs(value):
            if isinstance(piece, Slot):
                self.slot(piece)
            else:
                self.words(piece)

    def _link(self, element: Element) -> None:
        start = len(self.out)
        self.children(element)
        href = element.attributes.get("href", "").removeprefix("mailto:").removeprefix("tel:")
        label = "".join(self.out[start:]).strip()
        if href and label != href:
            self.breaks = 0
            if label and label[-1] not in ".,:;!?":
                self.out.append(":")
            self.space = bool(label)
            self._value(href)

    def _list(self, element: Element) -> None:
        number = 0
        for child in element.children:
            if isinstance(child, Slot):
                self.slot(child)
            elif isinstance(child, Element):
                number += 1
                self.breaks = max(self.breaks, 1)
                # In a loop every item has the same number, so it gets a dash.
                self.write("-" if element.name == "ul" or self.saved else f"{number}.")
                self.hold = True
                self.children(child)
                self.breaks, self.hold = max(self.breaks, 1), False

    def _row(self, element: Element) -> None:
        first = True
        for child in element.children:
            if isinstance(child, Slot):
                self.slot(child)
            elif isinstance(child, Element):
                if child.name in _CELLS and not first:
                    self.breaks, self.space = 0, True
                    self.write("|")
                    self.hold = True
                first = False
                self.children(child)
                self.breaks = 0


def derive(root: Element, roles: Mapping[int, str]) -> str:
    """Return the text of the tree; signs of tags stand in it as in the tree.

    `roles` maps the index of a statement tag to "open", "middle", "close" or "none" (a set); a tag
    that is not in it is an output.
    """
    writer = _Writer(roles)
    writer.children(root)
    return "".join(writer.out).strip() + "\n"
