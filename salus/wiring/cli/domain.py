"""`salus domain check`: what to publish for a sending domain, how DNS answers, and what to mend."""

from __future__ import annotations

import argparse
import json
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from salus.domains.contracts import SeenRecord

WORDS = ("high", "medium", "low")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its word."""
    command = commands.add_parser("domain", help="look at the records of a sending domain")
    words = command.add_subparsers(dest="word", metavar="WORD", required=True)
    check = words.add_parser("check", help="say what to publish, how DNS answers, and what to mend")
    check.add_argument("domain", nargs="?", default="", help="default: the organization's")
    check.add_argument("--organization", metavar="SLUG", help="whose (needed when there are several)")
    check.add_argument(
        "--fail-on",
        choices=WORDS,
        default="medium",
        help="end with 1 when a record that is not right weighs at least so much (default: medium)",
    )
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look; return 0 when nothing is as bad as `--fail-on`, else 1 (also when DNS does not answer)."""
    from salus.wiring.cli import setup

    setup()
    from salus.domains import api as domains
    from salus.identity import api as identity
    from salus.kernel.time import SystemClock
    from salus.platform.tenancy import acting_for
    from salus.wiring.asked import organization_named

    organization = organization_named(options.organization)
    with acting_for(organization.id):
        domain = (options.domain or identity.organization().sending_domain).rstrip(".").lower()
        found = domains.check(SystemClock().now(), domain)
    bad = [each for each in found if not each.is_fine and each.record.weight in WORDS[: _limit(options) + 1]]
    if options.json:
        print(json.dumps({"domain": domain, "fine": not bad, "records": [_facts(each) for each in found]}))
    else:
        print(f"{domain}: {_count(bad)} to mend, {sum(each.is_fine for each in found)} in order")
        for each in found:
            print(_said(each))
    return int(bool(bad))


def _limit(options: argparse.Namespace) -> int:
    return WORDS.index(options.fail_on)


def _count(bad: list[SeenRecord]) -> str:
    return f"{len(bad)} record{'' if len(bad) == 1 else 's'}" if bad else "nothing"


def _facts(seen: SeenRecord) -> dict[str, Any]:
    record = seen.record
    return {
        "purpose": record.purpose,
        "kind": record.kind,
        "name": record.name,
        "value": record.value,
        "weight": record.weight,
        "seen": seen.seen,
        "found": list(seen.found),
        "note": seen.note,
        "mend": seen.mend,
        "why": record.why,
    }


def _said(seen: SeenRecord) -> str:
    record = seen.record
    lines = [f"{seen.seen.upper():<8}{record.purpose} ({record.weight}): {seen.note or record.why}"]
    if not seen.is_fine or seen.mend:
        if record.kind and not (record.kind == "TXT" and seen.seen == "there"):
            lines += [f"        {record.name} {record.kind}", *_lines(record.value)]
        lines += [f"        Mend: {seen.mend}"] if seen.mend else []
    return "\n".join(
        textwrap.fill(line, 110, subsequent_indent=" " * 8, break_long_words=False, break_on_hyphens=False)
        for line in lines
    )


def _lines(value: str) -> list[str]:
    return [f"        {line}" for line in value.splitlines()]
