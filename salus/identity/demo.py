"""Ready sign-ins for a demo organization: one a role, made from this machine's secret, good on loopback only."""

from __future__ import annotations

import base64
import hashlib
import hmac

from salus.identity import organizations, second_factor, staff
from salus.identity.contracts import DemoSignIn, Organization, Role
from salus.identity.models import User
from salus.identity.ports import now
from salus.kernel.acting import system
from salus.kernel.errors import Conflict
from salus.keys import api as keys
from salus.platform.tenancy import acting_for

PEOPLE = {
    Role.ADMINISTRATOR: "Wendell Okafor",
    Role.SECURITY_OFFICER: "Ines Varga",
    Role.PRIVACY_OFFICER: "Theo Lindqvist",
    Role.MARKETER: "Marisol Ibarra",
    Role.AUTHOR: "Priya Raman",
    Role.ANALYST: "Jonas Feld",
    Role.CARE_COORDINATOR: "Dana Whitfield",
    Role.DEVELOPER: "Kit Sorensen",
    Role.AUDITOR: "Ruth Abara",
}
"""Invented people."""


def create_demo_staff(organization: Organization) -> None:
    """Give a demo organization one person a role, with password and second factor; again changes nothing.

    Raises `Conflict` for an organization that is not a demo.
    """
    if not organization.demo:
        raise Conflict("Ready sign-ins exist in a demo organization only.")
    actor = system(organization.id, "demo")
    for role, name in PEOPLE.items():
        with acting_for(organization.id):
            email = _email(organization, role)
            if User.objects.filter(email=email).exists():
                continue
            password, secret = _credentials(organization, role)
            member = staff.create(name=name, email=email, roles=[role], actor=actor, password=password)
            second_factor.set_up(User.objects.get(pk=member.id), secret)


def demo_sign_ins(organization: Organization | None = None) -> tuple[DemoSignIn, ...]:
    """Return the ready sign-ins of a demo organization (the first one unless it is named), with codes of now."""
    if organization is None:
        organization = next((known for known in organizations.every() if known.demo), None)
    if organization is None or not organization.demo:
        return ()
    ready = []
    for role, name in PEOPLE.items():
        email = _email(organization, role)
        password, secret = _credentials(organization, role)
        code = second_factor.code_now(secret, now())
        ready.append(DemoSignIn(role, name, email, password, code, second_factor.otpauth(secret, email)))
    return tuple(ready)


def _email(organization: Organization, role: Role) -> str:
    return f"{role.value.replace('_', '-')}@{organization.slug}.example.org"


def _credentials(organization: Organization, role: Role) -> tuple[str, str]:
    """Return password and TOTP secret; they follow from a secret of this machine and are stored nowhere."""
    root = keys.local_secret("demo-sign-ins")

    def derive(purpose: str) -> bytes:
        said = f"{purpose}/{organization.id}/{role}".encode()
        return hmac.new(root, said, hashlib.sha256).digest()

    letters = base64.b32encode(derive("password")).decode().lower()
    return "-".join((letters[:5], letters[5:10], letters[10:15])), base64.b32encode(
        derive("totp")[:20]
    ).decode()
