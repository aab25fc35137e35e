"""`salus import`: bring in FHIR and CSV files, go on with an import, and see what was rejected."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import AddressSource

_SOURCES = ", ".join(source.value for source in AddressSource)


def register(subparsers: Any) -> None:
    """Add the command."""
    command = subparsers.add_parser("import", help="bring in people, records and permissions")
    words = command.add_subparsers(dest="word", metavar="WORD", required=True)
    fhir = _word(words, "fhir", "FHIR R4 NDJSON files, or directories of them", _fhir, declared=True)
    fhir.add_argument("paths", nargs="+", type=Path)
    contacts = _word(words, "csv", "a CSV of people", _csv, declared=True)
    contacts.add_argument("file", type=Path)
    contacts.add_argument(
        "--mapping", type=Path, help="JSON file; without it the headings must speak for themselves"
    )
    permissions = _word(
        words, "permissions", "a CSV of opt-ins, opt-outs and signed forms", _permissions, declared=True
    )
    permissions.add_argument("file", type=Path)
    permissions.add_argument(
        "--mapping", type=Path, help="JSON file; without it the headings are our own words"
    )
    _word(words, "list", "the newest imports", _list)
    for word, what, run in (
        ("status", "how far an import is", _status),
        ("resume", "go on with an import", _resume),
        ("cancel", "stop an import; what is in stays in", _cancel),
    ):
        _word(words, word, what, run).add_argument("id", type=_uuid)
    rejects = _word(words, "rejects", "what was rejected: reasons, or the rows as a file", _rejects)
    rejects.add_argument("id", type=_uuid)
    rejects.add_argument(
        "--output", type=Path, help="write the rows themselves (PHI) to this file, mode 0600"
    )
    suggest = words.add_parser("suggest", help="print a mapping for the headings of a CSV")
    suggest.add_argument("file", type=Path)
    suggest.set_defaults(run=_suggest)
    clinic = words.add_parser("clinic", help="write a synthetic clinic to a directory")
    clinic.add_argument("directory", type=Path)
    clinic.add_argument("--patients", type=int, default=2000)
    clinic.add_argument("--seed", type=int, default=7)
    clinic.set_defaults(run=_clinic)


def _word(
    words: Any, name: str, what: str, run: Callable[[argparse.Namespace], int], *, declared: bool = False
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = words.add_parser(name, help=what)
    parser.add_argument("--organization", required=True, metavar="SLUG")
    if declared:
        parser.add_argument("--source", required=True, help=f"where the addresses come from: {_SOURCES}")
        parser.add_argument("--evidence", required=True, help='how that is known, for example "form R-2"')
        parser.add_argument("--obtained", required=True, type=_date, help="when, as YYYY-MM-DD")
        parser.add_argument(
            "--check", action="store_true", help="say what would come of it and write nothing"
        )
        parser.add_argument("--queue", action="store_true", help="leave the work to the workers")
    parser.set_defaults(run=run)
    return parser


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError("that is not the id of an import") from None


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write the date as YYYY-MM-DD") from None


@contextmanager
def _organization(slug: str) -> Iterator[tuple[UUID, Any, Any]]:
    """Yield the organization's id, intake's door and the actor; nothing is in context yet."""
    from salus.wiring import cli

    cli.setup()
    from salus.identity import api as identity
    from salus.intake import api
    from salus.kernel.acting import system

    found = identity.find_organization(slug)
    yield found.id, api, system(found.id, "cli")


def _declaration(options: argparse.Namespace) -> Any:
    from salus.intake.contracts import Declaration

    try:
        source = AddressSource(options.source.replace("-", "_"))
    except ValueError:
        raise BadInput(f"is none of: {_SOURCES}", place="--source") from None
    return Declaration(source, options.evidence, options.obtained)


def _mapping(options: argparse.Namespace, api: Any) -> Any:
    if options.mapping is None:
        return None
    try:
        return api.mapping_from_json(json.loads(options.mapping.read_text("utf-8")))
    except OSError:
        raise BadInput("there is no such file", place=str(options.mapping)) from None
    except ValueError as fault:
        raise BadInput(f"is not JSON: {fault}", place=str(options.mapping)) from None


def _fhir(options: argparse.Namespace) -> int:
    return _begin(
        options,
        lambda api, actor: api.start_fhir(
            options.paths, declaration=_declaration(options), actor=actor, queue=False
        ),
    )


def _csv(options: argparse.Namespace) -> int:
    return _begin(
        options,
        lambda api, actor: api.start_csv(
            api.read_file(options.file),
            mapping=_mapping(options, api),
            declaration=_declaration(options),
            actor=actor,
            name=options.file.name,
            queue=False,
        ),
    )


def _permissions(options: argparse.Namespace) -> int:
    return _begin(
        options,
        lambda api, actor: api.start_permissions_csv(
            api.read_file(options.file),
            mapping=_mapping(options, api),
            declaration=_declaration(options),
            actor=actor,
            name=options.file.name,
            queue=False,
        ),
    )


def _begin(options: argparse.Namespace, receive: Callable[[Any, Any], UUID]) -> int:
    with _organization(options.organization) as (organization_id, api, actor):
        from salus.platform.tenancy import acting_for

        with acting_for(organization_id):
            import_id = receive(api, actor)
        if options.check:
            counts, reasons = api.check(organization_id, import_id, actor=actor)
            with acting_for(organization_id):
                api.cancel(import_id, actor=actor)
            print(_sentence(counts, "would be"))
            _print_reasons(reasons)
            return 0
        if options.queue:
            with acting_for(organization_id):
                api.start(import_id)
            print(import_id)
            return 0
        return _run(organization_id, import_id, api, actor)


def _run(organization_id: UUID, import_id: UUID, api: Any, actor: Any) -> int:
    """Run an import here, with its progress on the terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from salus.platform.tenancy import acting_for

    print(f"Import {import_id}", file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True, redirect_stdout=False, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("0 rows", total=None)

        def show(facts: Any) -> None:
            bar.update(
                task,
                completed=facts.bytes_done,
                total=facts.bytes_total,
                description=f"{facts.counts.read:,} rows",
            )

        facts = api.run(organization_id, import_id, actor=actor, progress=show)
    print(_sentence(facts.counts, "are"))
    with acting_for(organization_id):
        _print_reasons(api.reasons(import_id))
    if facts.failure:
        print(f"The import stopped. {facts.failure} What is in stays in.", file=sys.stderr)
        return 1
    return 0


def _sentence(counts: Any, verb: str) -> str:
    people = f"{counts.created:,} new, {counts.updated:,} changed, {counts.unchanged:,} unchanged"
    passed_over = (
        f" {counts.ignored:,} were passed over: only planned, or not done." if counts.ignored else ""
    )
    return f"{counts.taken:,} of {counts.read:,} rows {verb} in ({people}); {counts.rejected:,} {verb} not.{passed_over}"


def _print_reasons(reasons: Any) -> None:
    for one in reasons:
        kind = "rejected" if one.severity == "row" else "left out"
        print(f"  {one.rows:>8,}  {kind}: {one.field} {one.reason}")


def _list(options: argparse.Namespace) -> int:
    with _organization(options.organization) as (organization_id, api, _):
        from salus.platform.tenancy import acting_for

        with acting_for(organization_id):
            for facts in api.imports():
                print(f"{facts.id}  {facts.created_at:%Y-%m-%d %H:%M}  {facts.kind}  {facts.status}")
    return 0


def _status(options: argparse.Namespace) -> int:
    with _organization(options.organization) as (organization_id, api, _):
        from salus.platform.tenancy import acting_for

        with acting_for(organization_id):
            facts = api.status(options.id)
            print(f"{facts.kind}, {facts.status}. {_sentence(facts.counts, 'are')}")
            _print_reasons(api.reasons(options.id))
    return 0


def _resume(options: argparse.Namespace) -> int:
    with _organization(options.organization) as (organization_id, api, actor):
        return _run(organization_id, options.id, api, actor)


def _cancel(options: argparse.Namespace) -> int:
    with _organization(options.organization) as (organization_id, api, actor):
        from salus.platform.tenancy import acting_for

        with acting_for(organization_id):
            api.cancel(options.id, actor=actor)
    return 0


def _rejects(options: argparse.Namespace) -> int:
    with _organization(options.organization) as (organization_id, api, actor):
        from salus.platform.tenancy import acting_for

        with acting_for(organization_id):
            if options.output is None:
                _print_reasons(api.reasons(options.id))
                return 0
            options.output.touch(mode=0o600, exist_ok=False)
            with options.output.open("wb") as file:
                for piece in api.rejects_file(options.id, actor=actor):
                    file.write(piece)
    return 0


def _suggest(options: argparse.Namespace) -> int:
    from salus.wiring import cli

    cli.setup()
    from salus.intake import api

    with options.file.open("rb") as file:
        headings = api.headings_in(file.readline())
    print(json.dumps(api.mapping_to_json(api.suggest_mapping(headings)), indent=1, ensure_ascii=False))
    return 0


def _clinic(options: argparse.Namespace) -> int:
    from salus.wiring import cli

    cli.setup()
    from salus.intake import api

    if options.patients < 1:
        raise BadInput("at least one", place="--patients")
    clinic = api.generate_clinic(options.directory, patients=options.patients, seed=options.seed)
    print(f"{clinic.patients:,} patients and {clinic.prospects:,} others in {clinic.directory}")
    return 0
