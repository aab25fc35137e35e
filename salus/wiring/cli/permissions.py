"""`salus permissions`: look for the defects of a signed form, and hold the standings to the ledger."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

BATCH = 500


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    words = commands.add_parser("permissions", help="check signed forms, rebuild standings").add_subparsers(
        metavar="WORD", required=True
    )
    form = words.add_parser("check-form", help="name the defects of an authorization or Part 2 consent")
    form.add_argument("file", help="the form's details as JSON (- for standard input)")
    form.add_argument("--part2", action="store_true", help="a consent under 42 CFR 2.31, not a HIPAA one")
    form.add_argument("--valid-until", metavar="MOMENT", help="when it ends (ISO 8601 with offset)")
    form.set_defaults(run=_check_form)
    rebuild = words.add_parser("rebuild", help="compare every standing with the ledger and mend it")
    rebuild.add_argument("--organization", metavar="SLUG", required=True)
    rebuild.set_defaults(run=_rebuild)


def _check_form(options: argparse.Namespace) -> int:
    from salus.wiring.cli import setup

    setup()
    from salus.kernel.errors import BadInput
    from salus.kernel.time import SystemClock
    from salus.permissions import api as permissions

    try:
        text = sys.stdin.read() if options.file == "-" else Path(options.file).read_text(encoding="utf-8")
        details = json.loads(text)
    except (OSError, ValueError) as fault:
        raise BadInput(f"This is no readable JSON file: {fault}.", place=options.file) from fault
    if not isinstance(details, dict):
        raise BadInput("A form is a JSON object.", place=options.file)
    check = permissions.check_part2_consent if options.part2 else permissions.check_authorization
    faults = check(details, SystemClock().now(), valid_until=permissions.moment(options.valid_until))
    print("\n".join(faults) or "No defects.")
    return 1 if faults else 0


def _rebuild(options: argparse.Namespace) -> int:
    from salus.wiring.cli import setup

    setup()
    from salus.identity import api as identity
    from salus.permissions import api as permissions
    from salus.platform.tenancy import acting_for

    organization_id = identity.find_organization(options.organization).id
    seen = mended = 0
    after = None
    while True:
        with acting_for(organization_id):
            batch = permissions.contacts_after(after, BATCH)
            mended += permissions.rebuild_standings(batch)
        if not batch:
            break
        seen, after = seen + len(batch), batch[-1]
    print(f"{seen} people looked at, {mended} standings mended.")
    return 0
