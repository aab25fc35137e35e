"""Judges the tree of a template: which elements, attributes, styles and addresses a message may have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from salus.content import addresses
from salus.content.addresses import PLANE
from salus.content.contracts import Problem
from salus.content.elements import (
    BAD_CSS,
    CHILDREN,
    DEFAULTS,
    FLOW,
    HIDING,
    HTML_ATTRIBUTES,
    INSTEAD,
    MJ_ATTRIBUTES,
    PICTURES,
    ROOT_ATTRIBUTES,
    STATEMENTS_IN,
    TEXT_IN,
    TINY,
    VALUE,
    WORD_ATTRIBUTES,
)
from salus.content.expressions import Fault
from salus.content.markup import Element, Slot, split_signs
from salus.content.reading import Shown
from salus.content.tags import Tag, place


@dataclass(slots=True)
class Guard:
    """Walks a tree and notes every problem; `shown` tells what each output tag is."""

    part: str
    domains: tuple[str, ...]
    shown: Mapping[int, Shown]
    tags: tuple[Tag, ...]
    roles: Mapping[int, str]
    """Statement tags: "open", "middle", "close" or "none"."""
    problems: list[Problem] = field(default_factory=list)
    _judged: set[int] = field(default_factory=set)

    def check(self, root: Element) -> None:
        """Judge the whole tree."""
        tops = [child for child in root.children if isinstance(child, Element)]
        if [top.name for top in tops] != ["mjml"]:
            self._note(1, "A template is one <mjml> element.", "Begin with <mjml><mj-body>.")
            return
        bodies = [
            child for child in tops[0].children if isinstance(child, Element) and child.name == "mj-body"
        ]
        if len(bodies) != 1:
            self._note(tops[0].line, "An <mjml> element holds one <mj-body>.")
        self._children(root)
        self._nested(tops[0], link=False, block=False)
        for element in tops[0].walk():
            if element.name == "mj-attributes":
                self._defaults(element)
        for element in tops[0].walk():
            if id(element) in self._judged:
                continue
            self._children(element)
            for name, value in element.attributes.items():
                self._attribute(element, name, value)
            self._element(element)

    def _defaults(self, block: Element) -> None:
        """Judge `mj-attributes`: defaults for elements, so no addresses, no words and nothing inside."""
        for element in block.children:
            if not isinstance(element, Element):
                continue
            self._judged.update(id(inner) for inner in element.walk())
            if element.name not in DEFAULTS or element.children:
                self._note(
                    element.line, f"<{element.name}> inside mj-attributes is no default for an element."
                )
            for name, value in element.attributes.items():
                if any(ord(char) >= PLANE for char in value):
                    self._note(
                        element.line,
                        f"A template tag stands inside {name}.",
                        "Defaults are the same for all.",
                    )
                else:
                    self._plain_attribute(element, name, value)

    def _nested(self, element: Element, *, link: bool, block: bool) -> None:
        """Follow links and blocks down the tree.

        A block that lies within one element shows whole elements or none, whatever its test says; and a
        picture inside one would tell its server, by being loaded, how the test came out.
        """
        is_link = element.name in {"a", "mj-button"}
        if is_link and link:
            self._note(element.line, "A link stands inside a link.")
        if block and element.name in PICTURES:
            self._note(
                element.line,
                "A picture stands inside a condition or loop: loading it would tell how that came out.",
                "Show the picture to all, or none.",
            )
        depth, sound = 0, True
        for child in element.children:
            if isinstance(child, Element):
                self._nested(child, link=link or is_link, block=block or depth > 0)
            elif isinstance(child, Slot):
                role = self.roles.get(child.index, "")
                depth += {"open": 1, "close": -1}.get(role, 0)
                sound = sound and depth >= 0 and not (role == "middle" and depth == 0)
        if depth or not sound:
            self._note(
                element.line,
                f"A condition or loop crosses the border of <{element.name}>.",
                "Put its beginning and its end into the same element.",
            )

    def _note(self, line: int, what: str, next_step: str = "") -> None:
        self.problems.append(Problem(place(self.part, line), what, next_step))

    def _children(self, element: Element) -> None:
        allowed = CHILDREN.get(element.name, frozenset())
        for child in element.children:
            if isinstance(child, Element):
                if child.name not in allowed:
                    self._misplaced(element, child)
            elif isinstance(child, Slot):
                self._slot(element, child)
            elif element.name not in TEXT_IN and element.name != "mj-style" and child.strip():
                inside = f"inside <{element.name}>" if element.name else "outside <mjml>"
                self._note(
                    element.line, f"Text stands directly {inside}.", "Put it into an mj-text or a cell."
                )

    def _misplaced(self, element: Element, child: Element) -> None:
        known = child.name in CHILDREN or child.name in FLOW or child.name in DEFAULTS
        known = known or any(child.name in names for names in CHILDREN.values())
        if not known:
            self._note(child.line, f"<{child.name}> is not part of a template.", INSTEAD.get(child.name, ""))
        elif element.name in CHILDREN:
            wanted = ", ".join(sorted(CHILDREN[element.name])) or "nothing"
            self._note(
                child.line,
                f"<{child.name}> cannot stand inside <{element.name}>.",
                f"There can be: {wanted}.",
            )

    def _slot(self, element: Element, slot: Slot) -> None:
        line = self.tags[slot.index].line
        if self.tags[slot.index].kind == "statement":
            if element.name not in STATEMENTS_IN:
                self._note(
                    line,
                    f"A condition or loop stands directly inside <{element.name or 'the file'}>.",
                    "Put it around whole sections, or inside a column.",
                )
        elif element.name not in TEXT_IN:
            self._note(
                line,
                f"A field stands directly inside <{element.name or 'the file'}>.",
                "Put it into an mj-text or a cell.",
            )

    def _attribute(self, element: Element, name: str, value: str) -> None:
        has_tag = any(ord(char) >= PLANE for char in value)
        if name.startswith("on"):
            self._note(element.line, f"{name} would run a script.", "Remove it.")
        elif name == "href" and element.name in {"a", "mj-button", "mj-image"}:
            self._href(element, value)
        elif name == "src" and element.name in PICTURES:
            self._source(element, value, has_tag=has_tag)
        elif name in WORD_ATTRIBUTES and (name != "alt" or element.name in PICTURES):
            if any(
                isinstance(p, Slot) and self.tags[p.index].kind == "statement" for p in split_signs(value)
            ):
                self._note(
                    element.line, f"A condition stands inside {name}.", 'Use {{ "a" if ... else "b" }}.'
                )
        elif has_tag:
            self._note(
                element.line,
                f"A field stands inside {name}.",
                "Fields can be in the text, in alt and in title.",
            )
        elif name == "style":
            self._css(element.line, value)
        else:
            self._plain_attribute(element, name, value)

    def _plain_attribute(self, element: Element, name: str, value: str) -> None:
        if element.name == "mjml":
            allowed = ROOT_ATTRIBUTES
        elif element.name.startswith("mj-"):
            allowed = MJ_ATTRIBUTES
        else:
            allowed = HTML_ATTRIBUTES
        if name not in allowed:
            self._note(element.line, f"{name} is not an attribute that <{element.name}> can have here.")
        elif not VALUE.fullmatch(value) or BAD_CSS.search(value):
            self._note(element.line, f"The value of {name} has signs that do not belong there.")

    def _href(self, element: Element, value: str) -> None:
        pieces = split_signs(value)
        slots = [piece for piece in pieces if isinstance(piece, Slot)]
        if slots and len(pieces) > 1:
            self._note(
                element.line,
                "A template tag stands inside an address.",
                "Use a constant address, or {{ link.portal }} and nothing else.",
            )
        elif slots:
            shown = self.shown.get(slots[0].index)
            if self.tags[slots[0].index].kind == "statement" or (shown is not None and not shown.link):
                self._note(
                    element.line,
                    "A field stands in a link: it would travel in the address.",
                    "Use a constant address or {{ link.portal }}.",
                )
        else:
            self._judge(element.line, addresses.check_link, value)

    def _source(self, element: Element, value: str, *, has_tag: bool) -> None:
        if has_tag:
            self._note(
                element.line,
                "A template tag stands in a picture's address: loading it would tell who reads.",
                "Use one picture for all.",
            )
        else:
            self._judge(element.line, addresses.check_image, value)

    def _judge(self, line: int, check: Callable[[str, tuple[str, ...]], None], url: str) -> None:
        try:
            check(url, self.domains)
        except Fault as fault:
            self._note(line, fault.what, fault.next_step)

    def _element(self, element: Element) -> None:
        if element.name in PICTURES:
            self._picture(element)
        if element.name == "mj-style":
            for child in element.children:
                if isinstance(child, str):
                    self._css(element.line, child)
        if element.name in {"a", "mj-button"} and not element.attributes.get("href"):
            self._note(element.line, f"<{element.name}> leads nowhere.", 'Give it href="...".')

    def _picture(self, element: Element) -> None:
        if not element.attributes.get("src"):
            self._note(element.line, "A picture has no src.")
        if "alt" not in element.attributes:
            self._note(element.line, "A picture has no alt text.", 'Say what it shows, or write alt="".')
        for name in ("width", "height"):
            size = re.match(r"\s*(\d+)", element.attributes.get(name, ""))
            if size and int(size[1]) <= TINY and "%" not in element.attributes[name]:
                self._note(
                    element.line,
                    "This picture is too small to be seen: it would only track.",
                    "Remove it. Salus counts opens itself.",
                )
        if HIDING.search(element.attributes.get("style", "")):
            self._note(element.line, "This picture is hidden: it would only track.", "Remove it.")

    def _css(self, line: int, css: str) -> None:
        bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
        if match := BAD_CSS.search(bare) or re.search(r"/\*|\*/", bare):
            self._note(
                line, f"Styles may not use {match[0].strip()!r}.", "Styles load nothing and move nothing."
            )
