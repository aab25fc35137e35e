"""A policy's rules as sentences, and the levels of protection in words."""

from __future__ import annotations

from collections.abc import Iterable

from salus.kernel.vocabulary import Protection
from salus.safeguards.contracts import MARKS, Rule

LEVELS = {
    Protection.NAMED: "TLS to a named mail host",
    Protection.VERIFIED: "TLS to a verified mail host",
    Protection.KEY: "the reader’s own key",
    Protection.PORTAL: "the portal",
}
WISHES = {
    None: "Nothing more than the law asks for",
    Protection.VERIFIED: "By e-mail only where the mail host is verified",
    Protection.KEY: "By e-mail only with the reader’s own key",
    Protection.PORTAL: "Always in the portal",
}

EXAMPLE = """# Each rule asks for more protection than the law does; none can ask for less.

[[rule]]
name = "Results stay in the portal"
protect = "portal"
purposes = ["lab_result_or_portal_notice"]

[[rule]]
name = "Mercy Hospital, by its own keys"
protect = "key"
domains = ["mercy.example.org", "*.mercy.example.org"]

[[rule]]
name = "What staff mark as secure, with a diagnosis in it"
protect = "portal"
marks = ["secure"]
classes = ["diagnosis"]
"""


def condition(rule: Rule) -> str:
    """Return of which messages a rule speaks."""
    parts = [
        _list("for", (word.replace("_", " ") for word in rule.purposes)),
        _list("about", rule.topics),
        _list("that disclose", (word.replace("_", " ") for word in rule.classes)),
        _list("to", rule.domains),
        _list("marked", (f"[{mark}]" for mark in rule.marks)),
    ]
    return " ".join(filter(None, parts)) or "of every kind"


def marks() -> list[tuple[str, str]]:
    """Return each mark with what it asks for."""
    return [(f"[{mark}]", LEVELS[level]) for mark, level in MARKS.items()]


def _list(before: str, words: Iterable[str]) -> str:
    found = sorted(words)
    return f"{before} {' or '.join(found)}" if found else ""
