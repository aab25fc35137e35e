"""Writes the table of rules into a page for people, between two marks, so that page and rules agree."""

from __future__ import annotations

from collections.abc import Iterable

from salus.gate.contracts import RuleView
from salus.kernel.errors import BadInput

BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"


def with_table(page: str, rules: Iterable[RuleView], version: str) -> str:
    """Return `page` with the table between its marks written anew; raises `BadInput` without marks."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise BadInput(f"has no lines {BEGIN} and {END}", place="page")
    return f"{head}{BEGIN}\n{table(rules, version)}{END}{tail}"


def table(rules: Iterable[RuleView], version: str) -> str:
    """Return the rules as Markdown, one table a layer."""
    by_layer: dict[str, list[RuleView]] = {}
    for rule in rules:
        by_layer.setdefault(rule.layer, []).append(rule)
    parts = [f"\nVersion of the rules: `{version}`.\n"]
    for layer, own in by_layer.items():
        parts.append(
            f"\n### {layer.capitalize()}\n\n| rule | what it says | strict | federal floor | law | read |\n"
        )
        parts.append("|---|---|---|---|---|---|\n")
        parts += [
            f"| {rule.id} | {rule.sentence} | {_cell(rule.strict)} | {_cell(rule.federal_floor)} | "
            f"{rule.citation}, since {rule.effective} | {rule.verified} |\n"
            for rule in own
        ]
    return "".join(parts) + "\n"


def _cell(gates: Iterable[str]) -> str:
    return ", ".join(gates)
