"""`salus keys`: what keys an organization has, their rotation, and the DNS records of its mail keys."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    words = commands.add_parser("keys", help="list and rotate keys, print DKIM records").add_subparsers(
        metavar="WORD", required=True
    )
    listed = words.add_parser("list", help="list an organization's keys; none is shown")
    listed.set_defaults(run=_list)
    rotate = words.add_parser("rotate", help="make a new key active; the old one still opens")
    rotate.add_argument("kind", help="data, blind, token or checkpoint")
    rotate.set_defaults(run=_rotate)
    dkim = words.add_parser("dkim", help="print the DNS records to publish for a sending domain")
    dkim.add_argument("domain")
    dkim.set_defaults(run=_dkim)
    for word in (listed, rotate, dkim):
        word.add_argument("--organization", metavar="SLUG", required=True)


def _list(options: argparse.Namespace) -> int:
    from salus.keys import api as keys

    with _acting_for(options.organization):
        for key in keys.keys_of_organization():
            made = f"{key.created_at:%Y-%m-%d}"
            print(
                f"{key.kind:13} {key.name or '-':30} v{key.version:<3} {key.status:10} {made} {key.wrapped_by}"
            )
    return 0


def _rotate(options: argparse.Namespace) -> int:
    from salus.kernel.acting import system
    from salus.keys import api as keys

    with _acting_for(options.organization) as organization_id:
        version = keys.rotate(options.kind, actor=system(organization_id, "command-line"))
    print(f"Key {options.kind}, version {version}, is active. Other processes use it within a minute.")
    return 0


def _dkim(options: argparse.Namespace) -> int:
    from salus.keys import api as keys

    with _acting_for(options.organization):
        for key in keys.dkim_keys(options.domain):
            print(f"{key.selector}._domainkey.{options.domain} TXT {key.txt}")
    return 0


@contextmanager
def _acting_for(slug: str) -> Iterator[UUID]:
    from salus.wiring.cli import setup

    setup()
    from salus.identity import api as identity
    from salus.platform.tenancy import acting_for

    organization_id = identity.find_organization(slug).id
    with acting_for(organization_id):
        yield organization_id
