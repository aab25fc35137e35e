"""`salus organization`: make the first organization of an installation, and list them."""

from __future__ import annotations

import argparse
from typing import Any


def register(subparsers: Any) -> None:
    """Add the command."""
    command = subparsers.add_parser("organization", help="make and list organizations")
    words = command.add_subparsers(dest="word", metavar="WORD", required=True)
    create = words.add_parser("create", help="make an organization with its keys")
    create.add_argument("slug", help="a short name: small letters, digits, hyphens")
    create.add_argument("--name", required=True)
    create.add_argument("--address", required=True, help="postal address; commercial messages carry it")
    create.add_argument("--phone", required=True)
    create.add_argument("--domain", required=True, help="the domain that its mail comes from")
    create.add_argument("--time-zone", default="America/New_York")
    create.add_argument(
        "--sender-role", default="provider", help="provider, plan, part2_program... (default: provider)"
    )
    create.add_argument("--profile", default="strict", help="strict or federal_floor (default: strict)")
    create.set_defaults(run=_create)
    listing = words.add_parser("list", help="list the organizations")
    listing.set_defaults(run=_list)


def _create(options: argparse.Namespace) -> int:
    api = _api()
    made = api.create_organization(
        name=options.name,
        slug=options.slug,
        sender_role=options.sender_role,
        profile=options.profile,
        postal_address=options.address,
        phone=options.phone,
        sending_domain=options.domain,
        time_zone=options.time_zone,
    )
    print(
        f"{made.slug}  {made.id}\nNext: salus staff add --organization {made.slug} --role administrator ..."
    )
    return 0


def _list(options: argparse.Namespace) -> int:
    for each in _api().organizations():
        print(f"{each.slug}  {each.id}  {each.name}{'  (demo)' if each.demo else ''}")
    return 0


def _api() -> Any:
    from salus.wiring import cli

    cli.setup()
    from salus.identity import api

    return api
