"""`salus retention`: how long what is kept, what a shorter time would empty, and emptying what is due now."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from salus.kernel.errors import BadInput

if TYPE_CHECKING:
    from salus.identity.contracts import Organization
    from salus.retention.contracts import Kind

FOR_EVER = "none"


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    words = commands.add_parser(
        "retention", help="how long the contents of each kind are kept"
    ).add_subparsers(metavar="WORD", required=True)
    show = words.add_parser("show", help="list every kind with its time, and what is always kept")
    change = words.add_parser("set", help="keep a kind for a time; says first what a shorter one would empty")
    change.add_argument("kind", help="as `show` names it")
    change.add_argument("days", help=f"a number, or {FOR_EVER}: until its person is erased")
    change.add_argument("--yes", action="store_true", help="shorten it though that empties something")
    run = words.add_parser("run", help="empty what is due now instead of within a day")
    for word, act in ((show, _show), (change, _set), (run, _run)):
        word.add_argument("--organization", required=True, metavar="SLUG")
        word.set_defaults(run=act)


def _show(options: argparse.Namespace) -> int:
    organization = _enter(options)
    from salus.platform.tenancy import acting_for
    from salus.retention import api as retention

    with acting_for(organization.id):
        for rule in retention.all_rules():
            time = FOR_EVER if rule.days is None else f"{rule.days} days"
            print(
                f"{rule.kind:14} {time:>10}  emptied so far: {rule.emptied:,}, left of this run: {rule.left:,}"
            )
    for name, always in retention.ALWAYS.items():
        print(f"{name:14} {'always':>10}  {always.why} [{always.citation}]")
    return 0


def _set(options: argparse.Namespace) -> int:
    organization = _enter(options)
    from salus.kernel.acting import system
    from salus.kernel.time import SystemClock
    from salus.platform.tenancy import acting_for
    from salus.retention import api as retention

    kind, days, actor = retention.kind_of(options.kind), _days(options.days), system(organization.id, "cli")
    with acting_for(organization.id):
        count = retention.would_empty(kind, days, actor=actor, at=SystemClock().now())
        old = retention.days_of(kind)
        if retention.is_shorter(days, old) and count and not options.yes:
            print(f"This would empty {count:,} of {kind}. Nothing was changed. Say --yes to do it.")
            return 1
        retention.set_rule(kind, days, actor=actor)
    print(f"{kind}: {options.days}.")
    return 0


def _run(options: argparse.Namespace) -> int:
    organization = _enter(options)
    from salus.kernel.acting import system
    from salus.kernel.time import SystemClock
    from salus.retention import api as retention

    def tell(kind: Kind, done: int, left: int) -> None:
        print(f"{kind}: {done:,} emptied, {left:,} left", flush=True)

    done = retention.empty_due(
        organization.id, actor=system(organization.id, "cli"), clock=SystemClock(), tell=tell
    )
    print(f"{sum(done.values()):,} emptied.")
    return 0


def _days(given: str) -> int | None:
    if given == FOR_EVER:
        return None
    if not given.isdecimal():
        raise BadInput(f"Write a number of days, or {FOR_EVER}.", place="days")
    return int(given)


def _enter(options: argparse.Namespace) -> Organization:
    from salus.wiring import cli

    cli.setup()
    from salus.identity import api as identity

    return identity.find_organization(options.organization)
