"""The hot path: formatted values in, the parts of one message out."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minijinja import Environment, TemplateError

from salus.content.contracts import Link, MergeValues, Need, Rendered, Sources
from salus.kernel.errors import BadInput, SalusError

FUEL = 400_000
"""Instructions for one part of one message: a letter of 8 kB with forty records takes about 5,000."""

_CLEAN_URL = re.compile(r"(?:https://|http://(?:localhost|127\.0\.0\.1)[:/])[!#-;=?-Z\[\]_a-z~]*")
_PRINTED = re.compile(r"\{\{ link\.(\w+)\|safe \}\}")
_TRAILING = re.compile(r"[ \t]+\n")


class RenderFailed(SalusError):
    """A message could not be made from its values; the text names the part and the line, never a value."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A version ready to be rendered; made by `api.compile_version` or `api.notice`, safe in threads.

    `needs` says what of each field is read. `links` are the pages that can be given counting addresses.
    """

    language: str
    renderer: str
    links: tuple[Link, ...]
    needs: Mapping[str, Need]
    _environment: Environment = field(repr=False)
    _pages: Mapping[str, str] = field(repr=False)
    _printed: frozenset[str] = frozenset()
    """Links that the message shows: an empty address for one of them would be a dead link."""

    def render(self, values: MergeValues) -> Rendered:
        """Return the parts of one message. Same values and renderer give the same bytes.

        `values` holds formatted strings (and lists of dicts of such) under "contact", addresses under
        "link" and the organization's facts under "org". `values["link"]["open"]` is the address of the
        picture that counts opens; without it there is none. Raises `RenderFailed` or `BadInput`.
        """
        links = {**self._pages, **values["link"]}
        for key, url in links.items():
            if type(url) is not str or not (
                _CLEAN_URL.fullmatch(url) or (not url and key not in self._printed)
            ):
                raise BadInput("This is not an https address.", place=f"link.{key}")
        contact, org = values["contact"], values["org"]
        escaped = {key: html.escape(url) if "&" in url or "'" in url else url for key, url in links.items()}
        try:
            render = self._environment.render_template
            return Rendered(
                render("subject.txt", org=org),
                render("body.html", contact=contact, org=org, link=escaped),
                _tidy(render("body.txt", contact=contact, org=org, link=links)),
                self.renderer,
            )
        except TemplateError as error:
            raise _failure(error) from None


def _tidy(text: str) -> str:
    """Take away the gaps that blocks leave when they show nothing: trailing spaces, a second blank line."""
    if " \n" in text or "\t\n" in text:
        text = _TRAILING.sub("\n", text)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.lstrip("\n")


def _failure(error: TemplateError) -> RenderFailed:
    """Say what failed without the library's own words, which may quote a value."""
    part = {"subject.txt": "subject", "body.html": "HTML", "body.txt": "text"}.get(str(error.name), "message")
    if "fuel" in error.message.lower():
        return RenderFailed("This message has too many records to be made.", place=part)
    if error.kind == "UndefinedError":
        return RenderFailed("A value that the template reads was not given.", place=part)
    return RenderFailed("The message could not be made.", place=part)


def compiled(sources: Sources, *, language: str, renderer: str) -> Compiled:
    """Return what renders `sources`; raises `RenderFailed` when one of them is damaged."""
    environment = Environment(
        debug=False,  # its debug output puts values into exceptions
        undefined_behavior="strict",
        fuel=FUEL,
        keep_trailing_newline=True,
        pycompat=False,
        reload_before_render=False,
    )
    try:
        environment.add_template("subject.txt", sources.subject)
        environment.add_template("body.html", sources.html)
        environment.add_template("body.txt", sources.text)
    except TemplateError as error:
        raise _failure(error) from None
    pages = {link.key: link.url for link in sources.links}
    printed = frozenset(_PRINTED.findall(sources.html + sources.text)) - {"open"}
    return Compiled(
        language, renderer, sources.links, sources.needs, environment, {**pages, "open": ""}, printed
    )


def plain_values(values: Mapping[str, Any]) -> bool:
    """Return whether `values` holds only dicts, lists and strings: nothing with methods to call."""

    def plain(value: object) -> bool:
        if isinstance(value, dict):
            return all(isinstance(key, str) and plain(inner) for key, inner in value.items())
        if isinstance(value, list | tuple):
            return all(map(plain, value))
        return type(value) is str

    return all(plain(value) for value in values.values())
