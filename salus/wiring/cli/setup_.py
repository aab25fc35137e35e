"""`salus setup`: lead through the set-up of a real clinic, on the terminal or from a file; ended, it goes on from there."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from salus.kernel.errors import BadInput, Conflict, NotFound, SalusError
from salus.wiring.home import Home, from_environment

if TYPE_CHECKING:
    from salus.domains.contracts import Wanted
    from salus.identity.contracts import Organization
    from salus.wiring.setup.questions import Question
    from salus.wiring.setup.steps import Done


LEFT_OUT = "-"
"""What is typed to take an answer back that may be empty."""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("setup", help="set up a real clinic, step by step")
    command.add_argument(
        "--answers", type=Path, metavar="FILE", help="answers in TOML; nothing is asked then"
    )
    command.add_argument("--again", action="store_true", help="ask everything again; Enter keeps an answer")
    command.add_argument("--print-questions", action="store_true", help="print a file of answers to fill in")
    command.add_argument(
        "--records", action="store_true", help="print the records of the sending domain, and look them up"
    )
    command.add_argument("--test", metavar="ADDRESS", help="send a test message")
    command.add_argument("--word", help="the word of the test message that arrived")
    command.add_argument(
        "--organization", metavar="SLUG", help="for --records, --test, --word; needed when there are several"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask what is not answered yet, do every step, show what is left."""
    from salus.wiring.setup.answers import choose

    if options.print_questions:
        return _print_questions()
    home = from_environment()
    if options.records or options.test or options.word:
        with _database(home):
            return _one(options, home)
    answers = _answers(options, home)
    choose(home.path, answers, os.environ.get("DATABASE_URL"))
    with _database(home):
        return _set_up(home, answers, ask=options.answers is None)


def _answers(options: argparse.Namespace, home: Home) -> dict[str, str]:
    from salus.wiring.setup import answers

    if options.answers is not None:
        given = answers.whole_of_file(options.answers)
        answers.keep(home.path, given)
        return given
    if not sys.stdin.isatty():
        raise BadInput(
            "Nobody can be asked here.",
            place="salus setup",
            next_step="Give the answers in a file: --answers FILE.",
        )
    return answers.whole(_ask(home, again=options.again))


def _ask(home: Home, *, again: bool) -> dict[str, str]:
    """Ask on the terminal; every answer is kept at once."""
    from salus.wiring.setup import answers
    from salus.wiring.setup.questions import SECTIONS, Sort, asked

    known = answers.kept(home.path)
    if known and not again:
        print("Some questions were answered before. It goes on from there; --again asks all of them.")
    for section in SECTIONS:
        if not again and all(each.key in known for each in asked(section, known)):
            continue
        print(f"\n{section.title}\n{section.why} ({section.citation})")
        for question in section.questions:
            if not question.when(known) or (question.key in known and not again):
                continue
            known[question.key] = _put(question, known)
            if question.sort is not Sort.SECRET:
                answers.keep(home.path, known)
    return known


def _put(question: Question, known: dict[str, str]) -> str:
    """Put one question until the answer will do."""
    from salus.wiring.setup.questions import Sort, check

    default = known.get(question.key, question.default(known))
    hint = f" [{default}]" if default else ""
    if not question.required:
        hint += f" (Enter keeps it, {LEFT_OUT} leaves it out)" if default else " (Enter leaves it out)"
    if question.help:
        print(f"  {question.help}")
    for value, words in question.choices:
        print(f"  {value}: {words}")
    while True:
        label = f"{question.label}{hint}: "
        try:
            text = getpass.getpass(label) if question.sort is Sort.SECRET else input(label)
            left_out = text.strip() == LEFT_OUT and not question.required
            return "" if left_out else check(question, text or default)
        except BadInput as fault:
            print(f"  {fault.what} {fault.next_step}".rstrip())
        except EOFError:
            raise KeyboardInterrupt from None


@contextmanager
def _database(home: Home) -> Iterator[None]:
    """Have the database run, ours when nobody runs it, and Django ready."""
    from salus.wiring.cli import setup
    from salus.wiring.cli.start import installation_of

    with ExitStack() as running:
        with suppress(Conflict):  # Salus runs here already: then its database does
            running.enter_context(installation_of(home).running(lambda text: print(f"{text} ...")))
        setup()
        try:
            yield
        finally:
            from django.db import connections

            connections.close_all()


def _set_up(home: Home, answers: dict[str, str], *, ask: bool) -> int:
    from salus.wiring.setup import doorkeeper

    with doorkeeper.at_work(home):
        return _steps(home, answers, ask=ask)


def _steps(home: Home, answers: dict[str, str], *, ask: bool) -> int:
    from salus.wiring.setup import answers as kept
    from salus.wiring.setup import steps

    done = steps.set_up(answers, tell=lambda title: print(f"{title} ..."))
    kept.keep(home.path, answers)
    _show(done, answers["public_url"])
    if answers["test_to"]:
        sent = _send(home, done.organization, answers["test_to"])
        while sent and ask and (word := input("Type the word that is in it (Enter: later): ").strip()):
            try:
                _confirm(home, done.organization, word)
            except NotFound as fault:
                print(fault)
                continue
            break
        if not sent:
            print("Everything else is done. Mend that, then: salus setup --test ADDRESS")
            return 1
    return _say_next()


def _say_next() -> int:
    print(
        "\nStart everything: salus start. While it runs: salus keys recovery-kit, so that one lost file does not"
    )
    print("lose everything; salus doctor, which says what is left.")
    return 0


def _show(done: Done, public_url: str) -> None:
    for each in done.waits:
        print(f"Left to do: {each}")
    print("\nInvitations, each works once, for three days, and ends with a second factor:")
    for invitation in done.invitations:
        print(f"  {invitation.name}: {public_url.rstrip('/')}{invitation.path}")
    if not done.invitations:
        print("  none: everybody has a second factor")
    from salus.platform.tenancy import acting_for

    with acting_for(done.organization.id):
        _print_records(done.organization.sending_domain, done.records)


def _print_records(domain: str, records: tuple[Wanted, ...]) -> None:
    from salus.domains import api as domains
    from salus.kernel.time import SystemClock

    print("\nRecords to publish in DNS:")
    for seen in domains.look_up(domain, records, SystemClock().now()):
        state = f"{seen.seen}{f': {seen.note}' if seen.note else ''}"
        kind = seen.record.kind if seen.record.kind != "FILE" else "is this file:"
        print(f"  {seen.record.name} {kind} {_folded(seen.record.value)}".rstrip())
        print(f"    {seen.record.purpose}: {state}")
        print(textwrap.fill(seen.record.why, 110, initial_indent=" " * 6, subsequent_indent=" " * 6))


def _folded(value: str) -> str:
    return value if value.count("\n") < 2 else "".join(f"\n    {line}" for line in value.splitlines())


def _one(options: argparse.Namespace, home: Home) -> int:
    from salus.wiring.asked import organization_named

    organization = organization_named(options.organization)
    if options.word:
        _confirm(home, organization, options.word)
        return _say_next()
    if options.test:
        return 0 if _send(home, organization, options.test) else 1
    from salus.domains import api as domains
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        _print_records(organization.sending_domain, domains.records())
    return 0


def _send(home: Home, organization: Organization, address: str) -> bool:
    from django.conf import settings

    from salus.delivery import api as delivery
    from salus.kernel.phi import Phi
    from salus.kernel.time import SystemClock
    from salus.wiring.setup import steps

    print("Sending the test message ...")
    routes = Path(settings.SALUS_LABORATORY_ROUTES) if settings.SALUS_LABORATORY_ROUTES else None
    try:
        trial = delivery.send_trial(
            organization.id,
            Phi(address),
            steps.new_word(home),
            laboratory_routes=routes,
            actor=steps.actor_for(organization),
            clock=SystemClock(),
        )
    except SalusError as fault:
        print(f"It was not sent. {fault}")
        return False
    if not trial.accepted:
        print(f"It was not taken: {trial.reason} ({trial.phase}). {trial.reply}".rstrip())
        print(f"{delivery.plain_reason(trial.reason)}. {delivery.NEXT_STEPS.get(trial.reason, '')}".rstrip())
        return False
    tls = trial.tls
    print(
        f"It was taken over {tls['version']}, {tls['cipher']}; {tls['host']} proved its name ({tls['peer']})."
    )
    print("It has a word in it. When it arrives: salus setup --word WORD")
    return True


def _confirm(home: Home, organization: Organization, word: str) -> None:
    from salus.delivery import api as delivery
    from salus.platform.tenancy import acting_for
    from salus.wiring.setup import steps

    if not steps.is_word(home, word):
        raise NotFound("That is not the word of the last test message.")
    with acting_for(organization.id):
        delivery.confirm_trial(actor=steps.actor_for(organization))
    print("The test message arrived. The way of the mail is proven.")


def _print_questions() -> int:
    from salus.wiring.setup.questions import SECTIONS, Sort

    for section in SECTIONS:
        print(f"# {section.title}. {section.why} ({section.citation})\n[{section.key}]")
        for each in section.questions:
            choices = f" One of: {', '.join(value for value, _ in each.choices)}." if each.choices else ""
            needed = "" if each.required else " May be left empty."
            print(f"# {each.label}. {each.help}{choices}{needed}".rstrip())
            if each.sort is Sort.SECRET:
                print("# It is kept sealed, and nowhere else: take it out of this file afterwards.")
            print(f'{each.key} = "{each.default({})}"')
        print()
    return 0
