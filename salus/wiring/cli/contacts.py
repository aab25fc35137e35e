"""`salus contacts`: how many there are, who has an address, what is known of one, the dictionary."""

from __future__ import annotations

import argparse
import json
from typing import Any

from salus.kernel.errors import BadInput, NotFound
from salus.kernel.vocabulary import Channel


def register(subparsers: Any) -> None:
    """Add the command."""
    command = subparsers.add_parser("contacts", help="the people the organization knows")
    words = command.add_subparsers(dest="word", metavar="WORD", required=True)
    dictionary = words.add_parser("dictionary", help="every attribute, its type, PHI class and origin")
    dictionary.add_argument("--json", action="store_true")
    dictionary.set_defaults(run=_dictionary)
    count = words.add_parser("count", help="how many there are")
    count.add_argument("--organization", required=True, metavar="SLUG")
    count.set_defaults(run=_count)
    find = words.add_parser(
        "find", help="whose an address or record number is; prints the numbers of contacts"
    )
    find.add_argument("--organization", required=True, metavar="SLUG")
    what = find.add_mutually_exclusive_group(required=True)
    what.add_argument("--email")
    what.add_argument("--phone")
    what.add_argument("--identifier", metavar="SYSTEM:VALUE", help="for example mrn:C-004218")
    find.set_defaults(run=_find)
    show = words.add_parser("show", help="open fields of one contact, for a purpose, written in the log")
    show.add_argument("--organization", required=True, metavar="SLUG")
    show.add_argument("number", type=int)
    show.add_argument("--purpose", required=True, help="treatment, payment, operations or patient_request")
    show.add_argument(
        "--field", action="append", required=True, metavar="ATTRIBUTE", help="may be given again"
    )
    show.set_defaults(run=_show)


def _dictionary(options: argparse.Namespace) -> int:
    from salus.wiring import cli

    cli.setup()
    from salus.contacts import api

    attributes = api.dictionary().values()
    if options.json:
        described = [
            {
                "key": one.key,
                "type": one.type.value,
                "phi_class": one.phi_class.value,
                "special": one.special.value if one.special else None,
                "label": one.label,
                "label_es": one.label_es,
                "origin": one.origin,
            }
            for one in attributes
        ]
        print(json.dumps(described, indent=1, ensure_ascii=False))
        return 0
    for one in attributes:
        special = f" ({one.special.value})" if one.special else ""
        print(f"{one.key:<20} {one.type.value:<8} {one.phi_class.value}{special}: {one.label}")
    return 0


def _enter(slug: str) -> tuple[Any, Any]:
    """Make Django and the ports ready; return contacts' door and the organization."""
    from salus.wiring import cli

    cli.setup()
    from salus.contacts import api
    from salus.identity import api as identity

    return api, identity.find_organization(slug)


def _count(options: argparse.Namespace) -> int:
    api, organization = _enter(options.organization)
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        print(api.count())
    return 0


def _find(options: argparse.Namespace) -> int:
    api, organization = _enter(options.organization)
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        if options.identifier:
            system, _, value = options.identifier.partition(":")
            if not value:
                raise BadInput("write it as system:value, for example mrn:C-004218", place="--identifier")
            found = api.find_by_identifier(system, value)
            ids = [found] if found else []
        elif options.email:
            ids = api.find_by_address(Channel.EMAIL, options.email)
        else:
            ids = api.find_by_address(Channel.SMS, options.phone)
        numbers = api.numbers_of(ids)
        if not numbers:
            raise NotFound
        for number in sorted(numbers.values()):
            print(number)
    return 0


def _show(options: argparse.Namespace) -> int:
    api, organization = _enter(options.organization)
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    with acting_for(organization.id):
        opened = api.open_fields(
            numbers=[options.number],
            fields=options.field,
            purpose=options.purpose,
            actor=system(organization.id, "cli"),
            revealed=True,
        )
        if not opened:
            raise NotFound
        found = {name: value.reveal() for name, value in opened[0].values.items()}
        for address in opened[0].addresses:
            found.setdefault(address.channel.value, []).append(address.value.reveal())
        print(json.dumps(found, indent=1, ensure_ascii=False))
    return 0
