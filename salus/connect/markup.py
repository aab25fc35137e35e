"""Writes a program's HTML anew from the elements that a letter may have: what could act, load or hide is refused."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from salus.connect.contracts import Fault, Refused

_VOID = frozenset({"br", "hr"})
_KEPT = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "center",
        "code",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "font",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
    ]
)
_OUTSIDE = frozenset({"html", "head", "body", "meta"})
"""Elements of the page around the words: ours stand there."""
_STYLE = "style"
_SILENT = frozenset({"title", _STYLE})
_REMOTE = frozenset(
    {
        "img",
        "link",
        "audio",
        "video",
        "source",
        "picture",
        "iframe",
        "embed",
        "object",
        "svg",
        "input",
        "track",
    }
)
_ATTRIBUTES = frozenset(
    [
        "align",
        "bgcolor",
        "border",
        "cellpadding",
        "cellspacing",
        "color",
        "colspan",
        "dir",
        "face",
        "height",
        "href",
        "lang",
        "role",
        "rowspan",
        "size",
        "style",
        "title",
        "valign",
        "width",
    ]
)
_LOADS = re.compile(r"url|@|expression|image|\\|/\*|<", re.IGNORECASE)
_HIDES = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|position\s*:", re.IGNORECASE
)
_LINK = re.compile(
    r"https://([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?::\d{1,5})?(?:[/?#][!-;=?-\[\]-~]*)?"
)
_TEL = re.compile(r"tel:\+?[0-9().-]{3,24}")
_MAILTO = re.compile(r"mailto:[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9.-]{1,253})")
_BREAKS = frozenset(["br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "p", "pre", "table", "tr"])
DEEP = 60
MOST_TAGS, LONGEST_TAG = 20_000, 8_000
_COMMENT, _COMMENT_ENDS = "<!--", "-->"
_DOCTYPE = re.compile(r"<!doctype[^<>]{0,400}>", re.IGNORECASE)
_TOKEN = re.compile(
    r"""([^<]++)|<(/?[A-Za-z][A-Za-z0-9]*+)>"""
    r"""|(<(?![A-Za-z/!?]))|<(/?[A-Za-z](?:[^"'<>]++|"[^"<>]*+"|'[^'<>]*+')*+>)?"""
)
"""Words, a tag that is only a name, a sign that begins none, or any other tag: nothing of it where it does not end before the next."""
_NAME = re.compile(r"/?[A-Za-z][^\s/>\x00]*")
_ATTRIBUTE = re.compile(
    r"""([^\s/="']++)(?:\s*+=++\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"']*+)))?|"[^"]*+"|'[^']*+'"""
)
_STYLE_ENDS = re.compile(r"</style(?=[\s/>])", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n]+")


class _Writer:
    def __init__(self) -> None:
        self.out: list[str] = []
        self.text: list[str] = []
        self.hosts: set[str] = set()
        self._open, self._silent = [""][:0], ""

    def write(self, page: str) -> None:
        """Write a page of which each tag must end before the next begins."""
        place, end = 0, len(page)
        while place < end:  # once for each page, and once more behind each style
            for found in _TOKEN.finditer(page, place):
                place = found.end()
                words, simple, sign, tag = found.groups()
                if words or sign:
                    self._words(words or sign)
                    continue
                if not simple:
                    simple, rest = _name_and_rest(tag)
                else:
                    rest = ""
                if simple[0] == "/":
                    self._ends(simple[1:].lower())
                    continue
                self._begins(word := simple.lower(), rest)
                if word == _STYLE:  # not HTML up to its end
                    ends = _STYLE_ENDS.search(page, place)
                    place = ends.start() if ends else end
                    break

    def _begins(self, tag: str, rest: str) -> None:
        if tag in _REMOTE:
            raise Refused(Fault.REMOTE)
        if tag in _SILENT:
            self._silent = tag
            return
        attributes = list(_attributes(rest)) if rest else ()
        if ("http-equiv", "refresh") in attributes:
            raise Refused(Fault.ACTIVE)
        if tag in _OUTSIDE:
            return
        if tag not in _KEPT:
            raise Refused(Fault.ACTIVE)
        self.out.append(f"<{tag}{''.join(self._attribute(tag, *each) for each in attributes)}>")
        if tag in _BREAKS:
            self.text.append("\n")
        if tag in _VOID:
            return
        self._open.append(tag)
        if len(self._open) > DEEP:
            raise Refused(Fault.TOO_COMPLEX)
        if rest.endswith("/") and _ATTRIBUTE.sub("", rest).endswith("/"):  # not the end of a value
            self._ends(tag)

    def _ends(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        elif tag in self._open:
            while (inner := self._open.pop()) != tag:
                self.out.append(f"</{inner}>")
            self.out.append(f"</{tag}>")

    def _words(self, source: str) -> None:
        if self._silent:
            return
        words = html.unescape(source)
        self.out.append(html.escape(words, quote=False))
        self.text.append(_BLANKS.sub(" ", words))

    def _attribute(self, tag: str, name: str, value: str) -> str:
        if name.startswith("on"):
            raise Refused(Fault.ACTIVE)
        if name in {"src", "background", "srcset", "poster"}:
            raise Refused(Fault.REMOTE)
        if name not in _ATTRIBUTES:
            return ""
        if name == "href":
            value = value.strip()
            if tag != "a":
                raise Refused(Fault.LINK)
            self.hosts |= _hosts(value)
            self.text.append(f" {value} " if value.startswith("https:") else "")
        if name == "style" and _LOADS.search(value):
            raise Refused(Fault.REMOTE)
        if name == "style" and _HIDES.search(value):
            raise Refused(Fault.ACTIVE)
        return f' {name}="{html.escape(value)}"'

    def whole(self) -> str:
        while self._open:
            self.out.append(f"</{self._open.pop()}>")
        return "".join(self.out).strip()


def _hosts(url: str) -> set[str]:
    """Return where a link leads: a host, or nowhere when it is a telephone's."""
    if _TEL.fullmatch(url):
        return set()
    found = _LINK.fullmatch(url) or _MAILTO.fullmatch(url)
    if found is None:
        raise Refused(Fault.LINK)
    return {found[1].lower().rstrip(".")}


def _name_and_rest(tag: str | None) -> tuple[str, str]:
    """Return the name of a tag as it is written, "/" before it where it ends one, and what stands behind it."""
    name = _NAME.match(tag or "")
    if tag is None or name is None:
        raise Refused(Fault.ACTIVE)
    if len(tag) > LONGEST_TAG:
        raise Refused(Fault.TOO_COMPLEX)
    return name[0], tag[name.end() : -1]


def _attributes(rest: str) -> Iterator[tuple[str, str]]:
    """Yield names and values of what stands in a tag behind its own name."""
    for found in _ATTRIBUTE.finditer(rest):
        if found[1]:
            yield found[1].lower(), html.unescape(found[2] or found[3] or found[4] or "")


def _without_comments(source: str) -> str:
    kept: list[str] = []
    start = 0
    while (begins := source.find(_COMMENT, start)) >= 0:
        inner = begins + len(_COMMENT)
        ends = source.find(_COMMENT_ENDS, inner)
        if ends < 0 or source[inner:ends].lstrip().startswith("[if"):  # Outlook reads what is inside as HTML
            raise Refused(Fault.ACTIVE)
        kept.append(source[start:begins])
        start = ends + len(_COMMENT_ENDS)
    return "".join((*kept, source[start:]))


def written(source: str) -> tuple[str, str, frozenset[str]]:
    """Return what stands inside the body, written anew, its plain text, and the hosts that its links lead to.

    Raises `Refused` for scripts, forms, pictures and whatever else would load, and for links that are none.
    Words outside elements are kept; attributes that nobody needs are not.
    """
    if source.count("<") > MOST_TAGS:
        raise Refused(Fault.TOO_COMPLEX)
    writer = _Writer()
    writer.write(_DOCTYPE.sub("", _without_comments(source)))
    text = re.sub(r"(?<! ) *\n[ \n]*\n", "\n\n", "".join(writer.text)).strip()
    return writer.whole(), text, frozenset(writer.hosts)
