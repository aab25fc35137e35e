"""`salus doctor`: check the whole installation and say what to mend, why, and how; for people and for monitoring."""

from __future__ import annotations

import argparse
import json
import textwrap
from typing import TYPE_CHECKING, Any

from salus.kernel.errors import SalusError

if TYPE_CHECKING:
    from salus.privacy.contracts import Finding, Report

WORDS = ("high", "medium", "low")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("doctor", help="check everything: what to mend, why, and how")
    command.add_argument("--organization", metavar="SLUG", help="this one only (default: all)")
    command.add_argument(
        "--rules",
        choices=("law", "proposed"),
        default="proposed",
        help="the law in force, or also the proposed rule of January 2025, which is not law (default)",
    )
    command.add_argument(
        "--fail-on",
        choices=WORDS,
        default="high",
        help="end with 1 when a finding is at least so bad (default: high)",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check; return 0 when nothing is as bad as `--fail-on`, else 1."""
    try:
        reports = _look(options)
    except SalusError as fault:
        return _cannot_look(options, fault)
    if options.json:
        print(json.dumps({"reports": [_facts(slug, report) for slug, report in reports]}))
    else:
        for slug, report in reports:
            _print(slug, report)
    worst = [report.worst for _, report in reports if report.worst is not None]
    limit = WORDS.index(options.fail_on)
    return int(any(each.rank <= limit for each in worst))


def _look(options: argparse.Namespace) -> list[tuple[str, Report]]:
    from salus.wiring.cli import setup

    setup()
    from salus.identity import api as identity
    from salus.kernel.errors import NotFound, Unavailable
    from salus.kernel.time import SystemClock
    from salus.platform.health import problems
    from salus.platform.tenancy import acting_for
    from salus.privacy import api as privacy
    from salus.privacy.contracts import Ruleset

    if wrong := problems():
        raise Unavailable(" ".join(wrong), next_step="Start Salus: salus start. Then ask again.")
    chosen = options.organization
    found = (identity.find_organization(chosen),) if chosen else identity.organizations()
    if not found:
        raise NotFound("There is no organization yet. Run salus setup.")
    reports = []
    for organization in found:
        with acting_for(organization.id):
            reports.append((organization.slug, privacy.posture(SystemClock().now(), Ruleset(options.rules))))
    return reports


def _cannot_look(options: argparse.Namespace, fault: SalusError) -> int:
    """Say why nothing could be checked: for a monitor that is the worst finding of all."""
    if not options.json:
        raise fault
    print(json.dumps({"reports": [], "fault": str(fault)}))
    return 1


def _facts(slug: str, report: Report) -> dict[str, Any]:
    return {
        "organization": slug,
        "at": report.at.isoformat(),
        "worst": report.worst,
        "findings": [
            {
                "check": each.check,
                "severity": each.severity,
                "what": each.what,
                "mend": each.mend,
                "citation": each.citation,
                "proposed_not_law": each.proposed,
            }
            for each in report.findings
        ],
        "passed": [each.check for each in report.passed],
    }


def _print(slug: str, report: Report) -> None:
    count = len(report.findings)
    print(f"{slug}: {count or 'no'} {'finding' if count == 1 else 'findings'}, {len(report.passed)} in order")
    for each in report.findings:
        print(_said(each))


def _said(finding: Finding) -> str:
    law = f"{finding.citation}{': proposed, not law' if finding.proposed else ''}"
    lines = (
        f"{finding.severity.upper():<7} {finding.what}",
        f"        Mend: {finding.mend}",
        f"        {law}  [{finding.check}]",
    )
    return "\n".join(textwrap.fill(line, 110, subsequent_indent=" " * 8) for line in lines)
