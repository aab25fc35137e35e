"""`salus staff`: add the first administrator, invite again who lost the way in, list who works here."""

from __future__ import annotations

import argparse
from typing import Any

from salus.kernel.errors import NotFound


def register(subparsers: Any) -> None:
    """Add the command."""
    command = subparsers.add_parser("staff", help="add, invite and list staff")
    words = command.add_subparsers(dest="word", metavar="WORD", required=True)
    add = words.add_parser("add", help="add a person and print their invitation")
    add.add_argument("--name", required=True)
    add.add_argument("--role", action="append", required=True, help="may be given again")
    invite = words.add_parser("invite", help="print a new invitation; the old way in stops working")
    listing = words.add_parser("list", help="list the staff with their roles")
    codes = words.add_parser(
        "codes", help="print the ready sign-ins of a demo organization, with codes of now"
    )
    codes.set_defaults(run=_codes)
    for word, run in ((add, _add), (invite, _invite), (listing, _list)):
        word.add_argument("--organization", required=True, metavar="SLUG")
        word.set_defaults(run=run)
    for word in (add, invite):
        word.add_argument("--email", required=True)


def _add(options: argparse.Namespace) -> int:
    api, organization, actor, acting_for = _enter(options.organization)
    with acting_for(organization.id):
        member = api.create_staff(name=options.name, email=options.email, roles=options.role, actor=actor)
        path = api.invite_staff(member.id, actor=actor)
    return _show(path)


def _invite(options: argparse.Namespace) -> int:
    api, organization, actor, acting_for = _enter(options.organization)
    with acting_for(organization.id):
        wanted = options.email.strip().lower()
        member = next((each for each in api.staff_members() if each.email == wanted), None)
        if member is None:
            raise NotFound("Nobody with this e-mail address works there.")
        path = api.invite_staff(member.id, actor=actor)
    return _show(path)


def _list(options: argparse.Namespace) -> int:
    api, organization, _, acting_for = _enter(options.organization)
    with acting_for(organization.id):
        for each in api.staff_members():
            state = "" if each.active else "  (no access)"
            print(f"{each.email}  {each.name}  {', '.join(role.words for role in each.roles)}{state}")
    return 0


def _codes(options: argparse.Namespace) -> int:
    from salus.wiring import cli

    cli.setup()
    from salus.identity import api

    found = api.demo_sign_ins()
    if not found:
        raise NotFound("There is no demo organization here.")
    for each in found:
        print(f"{each.role.words:<18} {each.email:<42} {each.password}  {each.code}")
    return 0


def _show(path: str) -> int:
    from django.conf import settings

    print(f"Works once, for three days:\n{settings.SALUS_PUBLIC_URL}{path}")
    return 0


def _enter(slug: str) -> tuple[Any, Any, Any, Any]:
    """Make Django and the ports ready; return identity's door, the organization, the actor, the context."""
    from salus.wiring import cli

    cli.setup()
    from salus.identity import api
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    organization = api.find_organization(slug)
    return api, organization, system(organization.id, "cli"), acting_for
