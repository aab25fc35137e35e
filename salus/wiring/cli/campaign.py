"""`salus campaign`: what campaigns there are, how one goes, plan it, pause it. Approving is for people, in the console."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from salus.kernel.errors import BadInput
from salus.wiring.asked import organization_named

if TYPE_CHECKING:
    from salus.campaigns.contracts import Campaign
    from salus.identity.contracts import Organization

WORDS = {
    "pause": ("hold back what no sender has taken yet", "Paused."),
    "resume": ("let a paused campaign go on", "It goes on."),
    "cancel": ("stop for good what was not handed over", "Cancelled."),
}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    words = commands.add_parser("campaign", help="follow, plan and stop campaigns").add_subparsers(
        metavar="WORD", required=True
    )
    _word(words, "list", "list campaigns, newest first", _list)
    _word(words, "show", "say who may receive it, who not and why, and how it goes", _show, with_id=True)
    _word(words, "plan", "ask the gate for everybody in its segment", _plan, with_id=True)
    for name, (help_, _) in WORDS.items():
        _word(words, name, help_, _act(name), with_id=True)


def _word(
    words: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    help_: str,
    run: Callable[[argparse.Namespace], int],
    *,
    with_id: bool = False,
) -> None:
    word = words.add_parser(name, help=help_)
    if with_id:
        word.add_argument("id", metavar="ID", help="as `list` shows it")
    word.add_argument("--organization", metavar="SLUG", help="needed when there is more than one")
    word.add_argument("--json", action="store_true", help="print JSON")
    word.set_defaults(run=run)


def _list(options: argparse.Namespace) -> int:
    """Print one line a campaign."""
    organization = _enter(options)
    from salus.campaigns import api
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        found = api.campaigns(limit=200)
    if options.json:
        print(json.dumps([_facts(each) for each in found]))
        return 0
    for each in found:
        people = f"{each.planned.cleared:,} of {each.planned.planned:,}" if each.planned else "not planned"
        print(f"{each.id}  {each.status:<9}  {people:<18}  {each.name.reveal()}")
    return 0


def _show(options: argparse.Namespace) -> int:
    """Print a campaign: its plan with every reason, and where its messages are."""
    organization = _enter(options)
    from salus.campaigns import api
    from salus.kernel.time import SystemClock
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        found = api.campaign(_id(options.id))
        plan, now = api.tell_plan(found), api.running(found, SystemClock().now())
    if options.json:
        progress = (
            {"cleared": now.cleared, "uncertain": now.progress.uncertain, **now.outcomes} if now else None
        )
        print(json.dumps({**_facts(found), "progress": progress}))
        return 0
    print(f"{found.name.reveal()}: {found.status}")
    if found.fault:
        print(f"The plan was not finished: {found.fault}")
    if plan:
        print(
            f"{plan.counts.planned:,} people = {plan.counts.cleared:,} may receive it + {plan.may_not:,} may not"
        )
        for line in plan.allowed:
            print(
                f"  + {line.people:>9,}  {line.code}: {line.told.sentence} [{'; '.join(line.told.citations)}]"
            )
        for line in plan.refused:
            print(
                f"  - {line.people:>9,}  {line.code}: {line.told.sentence} [{'; '.join(line.told.citations)}]"
            )
    if now and found.launch_at:
        print(", ".join(f"{people:,} {word.replace('_', ' ')}" for word, people in now.outcomes.items()))
    return 0


def _plan(options: argparse.Namespace) -> int:
    """Plan to the end in the foreground; when it is stopped, a worker goes on from there."""
    organization = _enter(options)
    from salus.campaigns import api
    from salus.kernel.acting import system
    from salus.kernel.time import SystemClock
    from salus.platform.tenancy import acting_for

    clock, campaign_id = SystemClock(), _id(options.id)
    with acting_for(organization.id):
        started = api.plan(campaign_id, actor=system(organization.id, "cli"), clock=clock)
    whole, done = started.planned_people or 0, 0

    def report(people: int) -> None:
        nonlocal done
        done += people
        print(f"\r{done:,} of {whole:,} people decided", end="", file=sys.stderr, flush=True)

    api.make_plan(organization.id, campaign_id, clock=clock, report=report)
    print(file=sys.stderr)
    with acting_for(organization.id):
        stopped = bool(api.campaign(campaign_id).fault)
    _show(options)
    return 1 if stopped else 0


def _act(name: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        organization = _enter(options)
        from salus.campaigns import api
        from salus.kernel.acting import system
        from salus.kernel.time import SystemClock
        from salus.platform.tenancy import acting_for

        act: Callable[..., Campaign] = {"pause": api.pause, "resume": api.resume, "cancel": api.cancel}[name]
        with acting_for(organization.id):
            done = act(_id(options.id), actor=system(organization.id, "cli"), at=SystemClock().now())
        print(json.dumps(_facts(done)) if options.json else WORDS[name][1])
        return 0

    return run


def _facts(campaign: Campaign) -> dict[str, Any]:
    planned = campaign.planned
    return {
        "id": str(campaign.id),
        "name": campaign.name.reveal(),
        "status": campaign.status.value,
        "fault": campaign.fault,
        "launch_at": campaign.launch_at.isoformat() if campaign.launch_at else None,
        "plan": {"planned": planned.planned, "cleared": planned.cleared, "refused": dict(planned.refused)}
        if planned
        else None,
    }


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadInput("That is not the id of a campaign.", place="ID") from None


def _enter(options: argparse.Namespace) -> Organization:
    """Make Django and the ports ready; return the organization that is meant."""
    from salus.wiring import cli

    cli.setup()
    return organization_named(options.organization)
