"""`salus gate`: may this message go to this person, under which rule, and what does a code mean."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

from salus.kernel.errors import BadInput, NotFound
from salus.kernel.time import SystemClock

HEADINGS = ("rule", "layer", "strict", "federal floor", "citation")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    gate = subparsers.add_parser("gate", help="decide and explain: may this message go to this person")
    words = gate.add_subparsers(dest="word", metavar="WORD", required=True)
    words.add_parser("schema", help="print the JSON Schema of a file of facts").set_defaults(run=schema)
    decide = words.add_parser("decide", help="decide every case in a file of facts")
    decide.add_argument(
        "file", metavar="FILE", help="JSON: one case or a list of cases; - reads standard input"
    )
    decide.add_argument("--json", action="store_true", help="print decisions as JSON")
    decide.set_defaults(run=decide_file)
    explain = words.add_parser("explain", help="explain a reason, rule, state rule, gate, element or ruling")
    explain.add_argument(
        "code", metavar="CODE", help="for example no_authorization, D08, TX:marketing, AUTH, X1"
    )
    explain.add_argument("--json", action="store_true")
    explain.set_defaults(run=explain_code)
    rules = words.add_parser("rules", help="print the table of rules")
    form = rules.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--write", metavar="PAGE", help="bring the table in a page like docs/law.md up to date")
    rules.set_defaults(run=print_rules)


def schema(options: argparse.Namespace) -> int:
    """Print the schema."""
    print(json.dumps(_api().facts_schema(), indent=2))
    return 0


def decide_file(options: argparse.Namespace) -> int:
    """Print a decision for each person of each case, in order."""
    document = _read(options.file)
    api, decided = _api(), []
    for case in api.read_cases(document, SystemClock().now()):
        decided += [api.write_decision(one) for one in api.decide(case.message, case.persons, case.at)]
    if options.json:
        print(json.dumps(decided, indent=2))
        return 0
    for decision in decided:
        _print_decision(decision)
    return 0


def explain_code(options: argparse.Namespace) -> int:
    """Print what a code means, where it stands and what to do."""
    try:
        found = _api().explain(options.code)
    except NotFound as unknown:
        raise BadInput(unknown.what) from unknown
    if options.json:
        print(json.dumps({"code": found.code, "sentence": found.sentence, "citations": found.citations,
                          "next_step": found.next_step}, indent=2))  # fmt: skip
        return 0
    print(f"{found.code}: {found.sentence}")
    print(f"Law: {'; '.join(found.citations)}")
    if found.next_step:
        print(f"Next: {found.next_step}")
    return 0


def print_rules(options: argparse.Namespace) -> int:
    """Print the table, or write it into a page."""
    api = _api()
    table = api.decision_table()
    if options.write:
        page = Path(options.write)
        page.write_text(api.with_table(page.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    if options.json:
        rows = [
            {name: getattr(rule, name) for name in rule.__dataclass_fields__}
            | {"effective": str(rule.effective)}
            for rule in table
        ]
        print(json.dumps({"rules_version": api.RULES_VERSION, "rules": rows}, indent=2))
        return 0
    print(f"{len(table)} rules, version {api.RULES_VERSION}")
    for rule in table:
        print(
            f"\n{rule.id}  [{rule.layer}]  strict: {', '.join(rule.strict)}; floor: {', '.join(rule.federal_floor)}"
        )
        print(textwrap.indent(textwrap.fill(rule.sentence, 100), "  "))
        print(f"  {rule.citation} (since {rule.effective}; {rule.verified})")
    return 0


def _api() -> Any:
    """Return the gate's door: it needs Django's settings, but no database."""
    from salus.wiring.cli import setup

    setup()
    from salus.gate import api

    return api


def _read(name: str) -> object:
    """Return the parsed file; raises `BadInput` that names the file, and the line of a fault."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise BadInput("cannot be read as text", place=name) from fault
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        raise BadInput(f"is not JSON: {fault.msg}", place=f"{name}, line {fault.lineno}") from fault
    except RecursionError as fault:
        raise BadInput("is nested too deeply", place=name) from fault


def _print_decision(decision: dict[str, Any]) -> None:
    """Print one decision in a few lines."""
    if decision["allowed"]:
        print(
            f"{decision['contact_id']}: allowed until {decision['valid_until']}, protected at least: {decision['floor']}"
        )
    else:
        explained = decision["explanation"]
        print(f"{decision['contact_id']}: not allowed ({decision['reason']}). {explained['sentence']}")
        print(f"  Law: {'; '.join(explained['citations'])}\n  Next: {explained['next_step']}")
    for gate in decision["gates"]:
        state = "open" if gate["satisfied"] else "shut"
        detail = f", {gate['detail']}" if gate["detail"] else ""
        print(f"  {state}  {gate['gate']}  by {gate['rule']} ({gate['citation']}){detail}")
    if decision["disclosed"]:
        print(f"  discloses: {', '.join(decision['disclosed'])}")
    if decision["elements"]:
        print(f"  must carry: {', '.join(decision['elements'])}")
