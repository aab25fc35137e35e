"""`salus journey`: the language's schema, what the check says of a file, the numbers, a person's diary."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from salus.kernel.errors import BadInput, NotFound
from salus.wiring.asked import json_in, organization_named

if TYPE_CHECKING:
    from salus.identity.contracts import Organization
    from salus.journeys.contracts import Counts, Diary, Graph, Journey, Proof, Version, Visit


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    words = commands.add_parser("journey", help="check, follow and explain journeys").add_subparsers(
        metavar="WORD", required=True
    )
    schema = words.add_parser("schema", help="print the JSON Schema of a journey's drawing")
    schema.set_defaults(run=_schema)
    check = _word(words, "check", "say what keeps a drawing from going live, and what is promised", _check)
    check.add_argument("file", metavar="FILE", help='a journey as JSON, "-" for standard input')
    _word(words, "list", "list journeys, newest first, with their numbers", _list)
    show = _word(words, "show", "print the numbers of a journey, step by step", _show)
    show.add_argument("id", metavar="ID", help="as `list` shows it")
    simulate = _word(words, "simulate", "say what would become of people; nothing is sent", _simulate)
    simulate.add_argument(
        "what", metavar="FILE|ID", help='a journey as JSON, "-", or an id as `list` shows it'
    )
    simulate.add_argument("--contact", metavar="NUMBER", help="one contact alone, with the diary")
    simulate.add_argument("--most", type=int, metavar="N", help="at most so many people, spread over all")
    simulate.add_argument(
        "--happens",
        action="append",
        default=[],
        metavar="KIND=SHARE",
        help="suppose that this share of the waits for an event ends with it: appointment_booked=0.3",
    )
    simulate.add_argument("--tasks-done", type=float, default=1.0, metavar="SHARE", help="of tasks")
    simulate.add_argument("--calls-done", type=float, default=1.0, metavar="SHARE", help="of calls")
    simulate.add_argument("--seed", type=int, default=1, metavar="N", help="of what is left to chance")
    gallery = _word(
        words, "gallery", "list the journeys that come with Salus, or add one as a draft", _gallery
    )
    gallery.add_argument(
        "act", nargs="?", choices=("list", "add"), default="list", help="list (as it is), add"
    )
    gallery.add_argument("key", nargs="?", metavar="KEY", help="which one to add, as `list` shows it")
    diary = _word(words, "diary", "print a person's ways through journeys", _diary)
    diary.add_argument("number", metavar="NUMBER", help="the contact's number, like 4218, or a record number")


def _word(
    words: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    help_: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    word = words.add_parser(name, help=help_)
    word.add_argument("--organization", metavar="SLUG", help="needed when there is more than one")
    word.add_argument("--json", action="store_true", help="print JSON")
    word.set_defaults(run=run)
    return word


def _schema(_: argparse.Namespace) -> int:
    """Print the schema; needs no database."""
    from salus.wiring import cli

    cli.setup()
    from salus.journeys import api

    print(json.dumps(api.schema(), indent=2))
    return 0


def _check(options: argparse.Namespace) -> int:
    """Print findings and promises; 1 when something keeps it from going live."""
    document = json_in(options.file)
    organization = _enter(options)
    from salus.journeys import api
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        proof = api.check(api.read(document))
    if options.json:
        print(json.dumps(api.proof_facts(proof)))
    else:
        _print_proof(proof)
    return 0 if proof.holds else 1


def _print_proof(proof: Proof) -> None:
    for promise in proof.promises:
        print(f"+ {promise}")
    for finding in proof.findings:
        mark = "!" if finding.severity == "error" else "?"
        where = f"{finding.step}{f'.{finding.port}' if finding.port else ''}: " if finding.step else ""
        print(f"{mark} {where}{finding.what} {finding.mend}")
    print("It may go live." if proof.holds else "It may not go live.")


def _simulate(options: argparse.Namespace) -> int:
    """Print the numbers of everybody who would come in, or the diary of one contact."""
    journey_id = _uuid(options.what)
    document = None if journey_id else json_in(options.what)
    happens = dict(_share(each) for each in options.happens)
    for share in (*happens.values(), options.tasks_done, options.calls_done):
        if not 0 <= share <= 1:
            raise BadInput("A share is a number from 0 to 1.")
    organization = _enter(options)
    from salus.journeys import api
    from salus.journeys.contracts import Supposed
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        graph = _shown(journey_id).graph if journey_id else api.read(document)
        asked: dict[str, Any] = {"most": options.most} if options.most is not None else {}
        if options.contact:
            asked["numbers"] = [_number(options.contact)]
        found = api.simulate(
            graph,
            journey_id=journey_id,
            supposed=Supposed(happens, options.tasks_done, options.calls_done, options.seed),
            at=api.clock().now(),
            actor=system(organization.id, "cli"),
            **asked,
        )
    if options.json:
        visits = [api.visit_facts(each) for each in found.diary]
        facts = {"people": found.people, "until": found.until, **api.counts_facts(found.counts)}
        print(json.dumps({**facts, "diary": visits} if options.contact else facts, default=str))
        return 0
    print(f"{_sum(found.counts)}; everybody's way is over by {_at(found.until)}")
    if options.contact:
        _print_visits(found.diary)
    else:
        _print_steps(graph, found.counts)
    return 0


def _share(text: str) -> tuple[str, float]:
    kind, _, share = text.partition("=")
    try:
        return kind, float(share)
    except ValueError:
        raise BadInput("Write it like appointment_booked=0.3.", place="--happens") from None


def _number(text: str) -> int:
    """Return the contact number of a contact or record number; raises `NotFound`."""
    from salus.contacts import api as contacts
    from salus.journeys import api

    contact_id = api.contact_of(text)
    numbers = contacts.numbers_of([contact_id]) if contact_id else {}
    if not contact_id or contact_id not in numbers:
        raise NotFound("Nobody here has this number.")
    return numbers[contact_id]


def _shown(journey_id: UUID) -> Version:
    """Return the version of a journey that is being drawn, else the live one, else the newest."""
    from salus.journeys import api

    found, versions = api.journey(journey_id), api.versions(journey_id)
    wanted = found.draft or found.live
    return next((each for each in versions if each.id == wanted), versions[0])


def _gallery(options: argparse.Namespace) -> int:
    """Print the ready journeys: what each is for, and what it needs; or add one."""
    if options.act == "add":
        return _add(options)
    from salus.wiring import cli

    cli.setup()
    from salus.journeys import api

    found = api.ready_journeys()
    if options.json:
        facts = (
            {"key": one.key, "name": one.name, "purpose": one.purpose, "needs": one.needs} for one in found
        )
        print(json.dumps(list(facts), ensure_ascii=False))
        return 0
    for one in found:
        print(f"{one.key}: {one.name}\n  {one.purpose}")
        for need in one.needs:
            print(f"  needs: {need}")
    return 0


def _add(options: argparse.Namespace) -> int:
    """Make a draft; what its letters are for is proposed by a person, in the console."""
    if not options.key:
        raise BadInput("Name the journey to add.", place="KEY", next_step="See: salus journey gallery")
    organization = _enter(options)
    from salus.journeys import api
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        version = api.add_ready(options.key, actor=system(organization.id, "cli"), clock=api.clock())
    if options.json:
        print(json.dumps({"journey": str(version.journey_id), "version": str(version.id)}))
        return 0
    print(f"{version.journey_id}  {version.graph.name}")
    for template in api.ready_journey(options.key).templates.values():
        meant = template.classification
        print(f"  “{template.name}”: propose {meant.purpose}, topic “{meant.topic}”")
    print(
        "Propose in the console what each letter is for; somebody else confirms it, and approves the journey."
    )
    return 0


def _list(options: argparse.Namespace) -> int:
    """Print one line a journey."""
    organization = _enter(options)
    from salus.journeys import api
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        found = api.journeys(limit=200)
        totals = api.totals([each.id for each in found])
    if options.json:
        print(json.dumps([{**_facts(each), **_sums(totals[each.id])} for each in found]))
        return 0
    for each in found:
        print(f"{each.id}  {each.status:<8}  {_sum(totals[each.id]):<52}  {each.name.reveal()}")
    return 0


def _show(options: argparse.Namespace) -> int:
    """Print a journey: how it stands, and each step with where people went and why."""
    organization = _enter(options)
    from salus.journeys import api
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        found = api.journey(_id(options.id))
        versions, counts = api.versions(found.id), api.counts(found.id)
    shown = next((each for each in versions if each.id == found.live), versions[0])
    if options.json:
        print(json.dumps({**_facts(found), "version": shown.number, **api.counts_facts(counts)}))
        return 0
    print(f"{found.name.reveal()}: {found.status}, version {shown.number} {shown.status}")
    print(_sum(counts))
    _print_steps(shown.graph, counts)
    return 0


def _print_steps(graph: Graph, counts: Counts) -> None:
    print(f"{'arrived':>9} {'here':>9}  step")
    for key in [*graph.steps, *(key for key in counts.steps if key not in graph.steps)]:
        each, step = counts.steps.get(key), graph.steps.get(key)
        if each is None:
            print(f"{0:>9,} {0:>9,}  {key}")
            continue
        print(f"{each.arrived:>9,} {each.here:>9,}  {key}{f' ({step.kind}) {step.title}' if step else ''}")
        for (outcome, reason), people in sorted(each.outcomes.items(), key=lambda one: -one[1]):
            print(f"{people:>21,}  {outcome}{f': {reason}' if reason else ''}")


def _diary(options: argparse.Namespace) -> int:
    """Print every way of a contact, a line a step; the look is recorded."""
    organization = _enter(options)
    from salus.journeys import api
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        contact_id = api.contact_of(options.number)
        if contact_id is None:
            raise NotFound("Nobody here has this number.")
        found = api.diaries_of(contact_id, actor=system(organization.id, "cli"))
        names = {each.journey_id: api.journey(each.journey_id).name for each in found}
    if options.json:
        print(json.dumps([api.diary_facts(each) for each in found], default=str))
        return 0
    for each in found:
        print(f"{names[each.journey_id].reveal()}: {each.fate}{f', {each.reason}' if each.reason else ''}")
        _print_diary(each)
    if not found:
        print("Never in a journey.")
    return 0


def _print_diary(diary: Diary) -> None:
    print(f"  {_at(diary.entered_at)}  came in")
    _print_visits(diary.visits)
    if diary.step:
        print(f"  now at {diary.step}{f', until {_at(diary.due_at)} at most' if diary.due_at else ''}")


def _print_visits(visits: Sequence[Visit]) -> None:
    for each in visits:
        reason = f": {each.reason}" if each.reason else ""
        print(f"  {_at(each.left_at)}  {each.step}: {each.outcome}{reason}")


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _facts(journey: Journey) -> dict[str, Any]:
    return {
        "id": str(journey.id),
        "name": journey.name.reveal(),
        "status": journey.status.value,
        "live": str(journey.live) if journey.live else None,
        "draft": str(journey.draft) if journey.draft else None,
    }


def _sums(counts: Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in ("entered", "waiting", "completed", "exited", "refused")}


def _sum(counts: Counts) -> str:
    parts = " + ".join(f"{people:,} {name}" for name, people in list(_sums(counts).items())[1:])
    return f"{counts.entered:,} = {parts}"


def _id(text: str) -> UUID:
    found = _uuid(text)
    if found is None:
        raise BadInput("That is not the id of a journey.", place="ID")
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _enter(options: argparse.Namespace) -> Organization:
    """Make Django and the ports ready; return the organization that is meant."""
    from salus.wiring import cli

    cli.setup()
    return organization_named(options.organization)
