"""`salus person`: the copy, the erasure and the accounting of a person, on what the privacy office approved."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from salus.kernel.errors import BadInput

if TYPE_CHECKING:
    from salus.identity.contracts import Organization

LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    words = commands.add_parser("person", help="what people ask about their own record").add_subparsers(
        metavar="WORD", required=True
    )
    export = words.add_parser("export", help="write the copy of an approved request for access")
    erase = words.add_parser("erase", help="carry out an approved erasure and print its completion record")
    accounting = words.add_parser("accounting", help="print to whom a person's record was disclosed")
    for word, about in (
        (export, "the request's id"),
        (erase, "the request's id"),
        (accounting, "the contact's id"),
    ):
        word.add_argument("id", help=about)
        word.add_argument("--organization", required=True, metavar="SLUG")
    export.add_argument(
        "--out", type=Path, required=True, help="a file that is not there yet; only its owner reads it"
    )
    export.add_argument("--form", choices=["json", "fhir", "pdf"], default="json", help="how it is written")
    accounting.add_argument("--language", choices=["en", "es"], default="en")
    export.set_defaults(run=_export)
    erase.set_defaults(run=_erase)
    accounting.set_defaults(run=_accounting)


def _export(options: argparse.Namespace) -> int:
    organization, request_id = _enter(options)
    from salus.kernel.acting import system
    from salus.kernel.time import SystemClock
    from salus.platform.tenancy import acting_for
    from salus.privacy import api as privacy
    from salus.privacy.contracts import Form

    actor = system(organization.id, "cli")
    with acting_for(organization.id):
        privacy.make_copy(request_id, actor=actor, at=SystemClock().now())
        document = privacy.open_copy(request_id, Form(options.form), actor=actor)
        file = os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(document)
    return 0


def _erase(options: argparse.Namespace) -> int:
    organization, request_id = _enter(options)
    from salus.kernel.acting import system
    from salus.kernel.time import SystemClock
    from salus.privacy import api as privacy

    for step in privacy.erase(
        organization.id, request_id, actor=system(organization.id, "cli"), clock=SystemClock()
    ):
        gone = ", ".join(f"{count} {what}" for what, count in step.left.erased.items() if count)
        print(f"{step.package}: {gone or 'nothing to count'}")
        for kept in step.left.kept:
            until = f", until {kept.until:%Y-%m-%d}" if kept.until else ""
            law = f" [{kept.citation}]" if kept.citation else ""
            print(f"  kept: {kept.count} {kept.what}: {kept.why}{until}{law}")
    return 0


def _accounting(options: argparse.Namespace) -> int:
    organization, contact_id = _enter(options)
    from zoneinfo import ZoneInfo

    from salus.contacts import api as contacts
    from salus.kernel.acting import system
    from salus.kernel.errors import NotFound
    from salus.kernel.time import SystemClock
    from salus.platform.tenancy import acting_for
    from salus.privacy import api as privacy

    with acting_for(organization.id):
        if not contacts.versions([contact_id]):
            raise NotFound
        found = privacy.accounting(
            contact_id, since=LONG_AGO, actor=system(organization.id, "cli"), at=SystemClock().now()
        )
    sys.stdout.write(privacy.letter(found, options.language, ZoneInfo(organization.time_zone)))
    return 0


def _enter(options: argparse.Namespace) -> tuple[Organization, UUID]:
    """Make Django and the ports ready; return the organization, and the id that was given."""
    try:
        given = UUID(options.id)
    except ValueError:
        raise BadInput("That is not an id.", place="id") from None
    from salus.wiring import cli

    cli.setup()
    from salus.identity import api as identity

    return identity.find_organization(options.organization), given
