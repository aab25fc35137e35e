"""`salus hold`: legal holds on people, and on a whole organization."""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from salus.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from salus.kernel.acting import Actor


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    words = commands.add_parser(
        "hold", help="legal holds: while one stands, nothing is erased"
    ).add_subparsers(metavar="WORD", required=True)
    put = words.add_parser("put", help="put a hold; the reason is read from standard input and sealed")
    whom = put.add_mutually_exclusive_group(required=True)
    whom.add_argument("--person", metavar="ID", help="on this contact")
    whom.add_argument("--everybody", action="store_true", help="on the whole organization")
    put.add_argument("--reference", default="", help="case number, or the letter that asked for it; sealed")
    lift = words.add_parser("lift", help="lift a hold; the reason is read from standard input and sealed")
    lift.add_argument("id", help="the hold's id")
    listed = words.add_parser("list", help="list holds, those that stand first")
    for word, run in ((put, _put), (lift, _lift), (listed, _list)):
        word.add_argument("--organization", required=True, metavar="SLUG")
        word.set_defaults(run=run)


def _put(options: argparse.Namespace) -> int:
    person = _id(options.person, "--person") if options.person else None
    reason = _reason()
    with _inside(options.organization) as actor:
        from salus.kernel.time import SystemClock
        from salus.retention import api as retention

        made = retention.put(
            person, reason=reason, reference=options.reference, actor=actor, at=SystemClock().now()
        )
    print(made)
    return 0


def _lift(options: argparse.Namespace) -> int:
    hold_id, reason = _id(options.id, "id"), _reason()
    with _inside(options.organization) as actor:
        from salus.kernel.time import SystemClock
        from salus.retention import api as retention

        retention.lift(hold_id, reason=reason, actor=actor, at=SystemClock().now())
    print("Lifted.")
    return 0


def _list(options: argparse.Namespace) -> int:
    with _inside(options.organization) as actor:
        from salus.retention import api as retention

        for each in retention.holds(actor=actor):
            whom = "everybody" if each.everybody else " ".join(map(str, each.contact_ids))
            state = f"lifted {each.lifted_at:%Y-%m-%d}" if each.lifted_at else "stands"
            print(f"{each.id}  since {each.put_at:%Y-%m-%d}  {state}  {whom}")
    return 0


def _reason() -> str:
    if sys.stdin.isatty():
        print("Why? ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()


def _id(given: str, place: str) -> UUID:
    try:
        return UUID(given)
    except ValueError:
        raise BadInput("That is not an id.", place=place) from None


@contextmanager
def _inside(slug: str) -> Iterator[Actor]:
    """Make Django and the ports ready, and act for an organization."""
    from salus.wiring import cli

    cli.setup()
    from salus.identity import api as identity
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    organization = identity.find_organization(slug)
    with acting_for(organization.id):
        yield system(organization.id, "cli")
