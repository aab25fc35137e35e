"""`salus sign-on`: describe an identity provider, map its groups to roles, switch it on or off."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from salus.kernel.errors import BadInput, NotFound


def register(subparsers: Any) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "sign-on", help="let staff sign on by the organization's identity provider"
    )
    words = command.add_subparsers(dest="word", metavar="WORD", required=True)
    oidc = words.add_parser(
        "oidc", help="describe a provider that speaks OpenID Connect, or describe it anew"
    )
    oidc.add_argument("--issuer", required=True, metavar="URL", help="registered with `salus vendors` before")
    oidc.add_argument("--client-id", required=True)
    oidc.add_argument("--client-secret-file", type=Path, metavar="FILE", help="a file with the secret only")
    oidc.add_argument("--scope", action="append", help="may be given again (default: openid email profile)")
    oidc.add_argument("--vouches", action="store_true", help="it never says email_verified, but knows")
    saml = words.add_parser("saml", help="describe a provider that speaks SAML 2.0, or describe it anew")
    saml.add_argument("--metadata", type=Path, required=True, metavar="FILE", help="its metadata, XML")
    for word, run in ((oidc, _oidc), (saml, _saml)):
        word.add_argument("--name", required=True, help="what staff see on the button")
        word.add_argument("--domain", action="append", required=True, help="may be given again")
        word.add_argument("--role-claim", default="groups")
        word.add_argument(
            "--map", action="append", default=[], metavar="GROUP=ROLE", help="may be given again"
        )
        word.add_argument(
            "--strong", action="append", metavar="WORD", help="means: a second factor was asked"
        )
        word.add_argument("--invited-only", action="store_true", help="let in nobody whom you did not add")
        word.set_defaults(run=run)
    listing = words.add_parser("list", help="list the providers, and whether the register allows each")
    listing.set_defaults(run=_list)
    for name, text in (
        ("on", "let people sign on by it"),
        ("off", "let nobody sign on by it; their sessions end"),
        ("remove", "forget it"),
    ):
        word = words.add_parser(name, help=text)
        word.add_argument("--name", required=True)
        word.set_defaults(run=_turn)
    for word in words.choices.values():
        word.add_argument("--organization", required=True, metavar="SLUG")


def _oidc(options: argparse.Namespace) -> int:
    secret = options.client_secret_file
    return _save(
        options,
        address=options.issuer,
        client_id=options.client_id,
        client_secret=secret.read_text().strip() if secret else "",
        scopes=" ".join(options.scope or ()),
        vouches=options.vouches,
    )


def _saml(options: argparse.Namespace) -> int:
    return _save(options, metadata=options.metadata.read_text())


def _save(options: argparse.Namespace, **given: Any) -> int:
    api, actor, inside = _enter(options.organization)
    with inside:
        made = api.save_provider(
            options.word,
            {
                "name": options.name,
                "domains": options.domain,
                "role_claim": options.role_claim,
                "strong": options.strong,
                "just_in_time": not options.invited_only,
                **given,
            },
            _mapping(options.map),
            actor=actor,
        )
        told = api.provider_told(made)
    print("Saved; it lets nobody in before `salus sign-on on`. The provider must be told:")
    for line in told:
        print(f"  {line}")
    return 0


def _list(options: argparse.Namespace) -> int:
    api, _, inside = _enter(options.organization)
    with inside:
        for each, why_not in api.sign_on_providers():
            state = "off" if not each.active else f"stopped: {why_not}" if why_not else "on"
            print(f"{each.name}  {each.protocol}  {', '.join(each.domains)}  {state}")
            for group, role in each.roles.items():
                print(f"    {group} -> {role.words}")
    return 0


def _turn(options: argparse.Namespace) -> int:
    api, actor, inside = _enter(options.organization)
    with inside:
        found = [each for each, _ in api.sign_on_providers() if each.name == options.name]
        if not found:
            raise NotFound("There is no provider of this name.")
        for each in found:
            api.turn_provider(each.id, options.word, actor=actor)
    return 0


def _mapping(lines: list[str]) -> dict[str, list[str]]:
    """Return groups by role; raises `BadInput` for a line that is not GROUP=ROLE."""
    found: dict[str, list[str]] = {}
    for line in lines:
        group, equals, role = line.rpartition("=")
        if not equals or not group:
            raise BadInput(f"Write GROUP=ROLE, not {line[:60]!r}.", place="--map")
        found.setdefault(role, []).append(group)
    return found


def _enter(slug: str) -> tuple[Any, Any, Any]:
    """Make Django and the ports ready; return identity's door, the actor, and the organization's context."""
    from salus.wiring import cli

    cli.setup()
    from salus.identity import api
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    organization = api.find_organization(slug)
    return api, system(organization.id, "cli"), acting_for(organization.id)
