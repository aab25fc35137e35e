"""Puts under a message what law wants there: address, ways out, notices, and why the reader got it.

The gate names the elements (`gate.contracts.Element`); those that are no words of the body (headers, the
neutral sender, what an author writes) are left to those who make them. An unknown one is refused.
"""

from __future__ import annotations

import functools
import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

from salus.content.compiling import literal
from salus.content.contracts import House, Sources
from salus.kernel.errors import BadInput

ALWAYS = "why"
ELSEWHERE = frozenset(
    {
        "list_unsubscribe",
        "list_unsubscribe_post",
        "neutral_sender",
        "neutral_notice",
        "irb_text",
        "breach_content",
        "sms_identity",
        "sms_minimal_text",
        "sms_stop_instructions",
        "sms_portal_link",
        "sms_max_3_per_24h",
    }
)
"""Elements that are headers, names, other channels, or the author's own text."""

_STYLE = (
    "max-width:600px;margin:0 auto;padding:16px 25px 24px;font-family:Helvetica,Arial,sans-serif;"
    "font-size:13px;line-height:20px;color:#414f4b"
)
_ORG = ("name", "phone", "postal_address")
_RULE = "-" * 24
_LARGE = frozenset({"ca_opt_out_14pt"})
_PIXEL = (
    '{% if link.open %}<img src="{{ link.open|safe }}" width="1" height="1" alt="" style="display:block">'
    "{% endif %}"
)


@functools.cache
def _data() -> Mapping[str, Any]:
    source = resources.files("salus.content").joinpath("data", "footers.json")
    data: Mapping[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return data


def version() -> int:
    """Return the version of the words below a message."""
    return int(_data()["version"])


def with_footer(
    sources: Sources, language: str, elements: Iterable[str], house: House, payer: str = ""
) -> Sources:
    """Return `sources` with the closing elements that a message needs, and the place of the open counter.

    Raises `BadInput` when an element is unknown, or when the organization has not given what it says.
    """
    lines = _lines(language, set(elements), house, payer)
    page = "".join(_html(name, runs, payer) for name, runs in lines)
    text = "".join(_text(runs, payer) + "\n" for _, runs in lines)
    footer = f'<div style="{_STYLE}" lang="{language}">{page}</div>{_PIXEL}'
    head, mark, tail = sources.html.rpartition("</body>")
    if not mark:
        raise BadInput("The compiled page has no body.", place="html")
    return replace(
        sources, html=head + footer + mark + tail, text=f"{sources.text.rstrip()}\n\n{_RULE}\n{text}"
    )


def _lines(language: str, wanted: set[str], house: House, payer: str) -> list[tuple[str, list[Any]]]:
    if language not in _data():
        raise BadInput("There is no footer in this language.", place=language)
    known: Mapping[str, list[Any]] = _data()[language]
    if unknown := sorted(wanted - set(known) - ELSEWHERE):
        raise BadInput("Nobody has written this element.", place=unknown[0])
    lines = [(name, runs) for name, runs in known.items() if name in wanted or name == ALWAYS]
    facts = {**{f"org.{key}": house.org.get(key, "") for key in _ORG}, "payer": payer}
    for name, runs in lines:
        said = " ".join(run for run in runs if isinstance(run, str))
        for key, value in facts.items():
            if f"{{{key}}}" in said and not value:
                raise BadInput(
                    f"The message must say this, and it is not known: {key}.",
                    place=name,
                    next_step="Complete the organization's settings or the classification.",
                )
    return lines


def _html(name: str, runs: list[Any], payer: str) -> str:
    parts = []
    for run in runs:
        if isinstance(run, str):
            parts.append(_values(html.escape(run, quote=False), html.escape(payer)))
        else:
            label = html.escape(run["label"])
            parts.append(f'<a href="{{{{ link.{run["link"]}|safe }}}}" style="color:#0a5c55">{label}</a>')
    size = ";font-size:14pt;line-height:20pt" if name in _LARGE else ""
    return f'<p style="margin:0 0 8px{size}">{"".join(parts)}</p>'


def _text(runs: list[Any], payer: str) -> str:
    parts = []
    for run in runs:
        if isinstance(run, str):
            parts.append(_values(run, payer))
        else:
            colon = "" if run["label"][-1] in ".?!" else ":"
            parts.append(f"{run['label']}{colon} {{{{ link.{run['link']}|safe }}}}")
    return "".join(parts)


def _values(run: str, payer: str) -> str:
    for key in _ORG:
        run = run.replace(f"{{org.{key}}}", f"{{{{ org.{key} }}}}")
    return run.replace("{payer}", literal(payer))
