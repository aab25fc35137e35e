"""`salus apikey`: make, list and revoke keys for programs, by whoever has this machine."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any
from uuid import UUID

from salus.kernel.errors import BadInput


def register(subparsers: Any) -> None:
    """Add the command."""
    command = subparsers.add_parser("apikey", help="keys for programs")
    words = command.add_subparsers(dest="word", metavar="WORD", required=True)
    create = words.add_parser("create", help="make a key and print it, this once")
    create.add_argument("--organization", required=True, metavar="SLUG")
    create.add_argument("--name", required=True, help="what uses it")
    create.add_argument(
        "--scope", action="append", default=[], metavar="PERMISSION", help="may be given again"
    )
    create.add_argument("--days", type=int, default=365, help="how long it works (default: 365)")
    create.set_defaults(run=_create)
    listing = words.add_parser("list", help="list the keys, without their secrets")
    listing.add_argument("--organization", required=True, metavar="SLUG")
    listing.set_defaults(run=_list)
    messages = words.add_parser("messages", help="say what the messages are that a key's program submits")
    messages.add_argument("--organization", required=True, metavar="SLUG")
    messages.add_argument("id", help="as `list` shows it")
    messages.add_argument(
        "--say",
        action="append",
        default=[],
        metavar="NAME=WORD",
        help="purpose=..., topic=...; may be given again",
    )
    messages.set_defaults(run=_messages)
    revoke = words.add_parser("revoke", help="stop a key for good")
    revoke.add_argument("--organization", required=True, metavar="SLUG")
    revoke.add_argument("id", help="as `list` shows it")
    revoke.set_defaults(run=_revoke)


def _create(options: argparse.Namespace) -> int:
    api, organization = _enter(options.organization)
    from salus.identity.contracts import Permission
    from salus.kernel.acting import system
    from salus.kernel.time import SystemClock
    from salus.platform.tenancy import acting_for

    if options.days < 1:
        raise BadInput("A key works for at least one day.", place="--days")
    with acting_for(organization.id):
        raw = api.create_api_key(
            options.name,
            options.scope,
            actor=system(organization.id, "cli"),
            expires_at=SystemClock().now() + timedelta(days=options.days),
            allowed=Permission,
        )
    print(raw)
    return 0


def _list(options: argparse.Namespace) -> int:
    api, organization = _enter(options.organization)
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        for key in api.api_keys_of_organization():
            state = (
                "revoked"
                if key.revoked_at
                else f"until {key.expires_at:%Y-%m-%d}"
                if key.expires_at
                else "no end"
            )
            said = "".join(f"  {name}={word}" for name, word in key.words.items())
            print(f"{key.id}  {state}  {key.name}  {' '.join(key.scopes)}{said}")
    return 0


def _messages(options: argparse.Namespace) -> int:
    """Replace what was said before; without `--say` nothing is said any more."""
    _, organization = _enter(options.organization)
    from salus.connect import api as connect
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    if not all("=" in each for each in options.say):
        raise BadInput("Say NAME=WORD.", place="--say")
    said = dict(each.split("=", 1) for each in options.say)
    with acting_for(organization.id):
        connect.set_key_words(_key_id(options.id), said, actor=system(organization.id, "cli"))
    return 0


def _revoke(options: argparse.Namespace) -> int:
    api, organization = _enter(options.organization)
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        api.revoke_api_key(_key_id(options.id), actor=system(organization.id, "cli"))
    return 0


def _key_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadInput("That is not the id of a key.", place="id") from None


def _enter(slug: str) -> tuple[Any, Any]:
    """Make Django and the ports ready; return identity's door and the organization."""
    from salus.wiring import cli

    cli.setup()
    from salus.identity import api

    return api, api.find_organization(slug)
