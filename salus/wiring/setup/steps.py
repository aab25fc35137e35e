"""The steps of the set-up: each calls the door of a package, and does nothing that is done already.

So a set-up that was ended at any moment is started again with the same answers and goes on.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from salus.delivery import api as delivery
from salus.domains import api as domains
from salus.domains.contracts import Wanted
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission, Role
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, SalusError
from salus.kernel.time import SystemClock
from salus.kernel.vocabulary import PhiClass, SenderRole
from salus.keys import api as keys
from salus.platform.tenancy import acting_for
from salus.retention import api as retention
from salus.retention.contracts import Kind as Retained
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Control, Kind, Relation
from salus.wiring.home import Home
from salus.wiring.setup.questions import Answers

CLOCK = SystemClock()
PEOPLE = {
    "privacy_officer": Role.PRIVACY_OFFICER,
    "security_officer": Role.SECURITY_OFFICER,
    "administrator": Role.ADMINISTRATOR,
}
ATTESTED_DAYS = 365


@dataclass(frozen=True, slots=True)
class Invitation:
    """How a person gets in: by this path, once, within three days; it ends with a second factor."""

    name: str
    path: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """What the steps did and left: the organization, invitations, records to publish, what still waits."""

    organization: Organization
    invitations: tuple[Invitation, ...]
    records: tuple[Wanted, ...]
    waits: tuple[str, ...]


def set_up(answers: Answers, *, tell: Callable[[str], object] = lambda _: None) -> Done:
    """Do every step with these whole answers; `tell` hears the title of each. Raises `BadInput`: then nothing was made.

    Call it outside any organization's context, with a database that is ready.
    """
    with transaction.atomic():
        tell("Organization and keys")
        organization = _organization(answers)
        actor = actor_for(organization)
        with acting_for(organization.id):
            tell("People")
            invitations = _people(answers, actor)
            tell("Vendors and the way of the mail")
            waits = _route(answers, actor)
            _vendors(answers, actor)
            _retention(answers, actor)
            tell("Sending domain")
            records = domains.records(organization.sending_domain)
    waits += _keys(answers, organization, actor)
    return Done(organization, invitations, records, tuple(waits))


def actor_for(organization: Organization) -> Actor:
    """Return the set-up as an actor: whoever has this machine may set it up."""
    may = frozenset({Permission.ORGANIZATION_SETTINGS_EDIT})
    return replace(system(organization.id, "setup"), permissions=may)


def new_word(home: Home) -> str:
    """Return a fresh word for a test message; only its digest is kept."""
    word = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz") for _ in range(8))
    (home.path / "test-word").write_text(_digest(word))
    return word


def is_word(home: Home, word: str) -> bool:
    """Tell whether this is the word of the last test message."""
    path = home.path / "test-word"
    return path.exists() and secrets.compare_digest(path.read_text(), _digest(word.strip().lower()))


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def _organization(answers: Answers) -> Organization:
    for each in identity.organizations():
        if each.slug == answers["slug"]:
            return each
    return identity.create_organization(
        name=answers["name"],
        slug=answers["slug"],
        sender_role=SenderRole(answers["sender_role"]),
        postal_address=answers["postal_address"],
        phone=answers["phone"],
        sending_domain=answers["sending_domain"],
        time_zone=answers["time_zone"],
    )


def _people(answers: Answers, actor: Actor) -> tuple[Invitation, ...]:
    wanted: dict[str, tuple[str, list[Role]]] = {}
    for key, role in PEOPLE.items():
        email = answers[f"{key}_email"].lower()
        wanted.setdefault(email, (answers[f"{key}_name"], []))[1].append(role)
    known = {each.email: each for each in identity.staff_members()}
    found = []
    for email, (name, roles) in wanted.items():
        member = known.get(email) or identity.create_staff(name=name, email=email, roles=roles, actor=actor)
        if not member.second_factor:
            found.append(Invitation(name, identity.invite_staff(member.id, actor=actor)))
    return tuple(found)


def _route(answers: Answers, actor: Actor) -> list[str]:
    """Choose the way of the mail; return what still has to be done before mail goes."""
    now = CLOCK.now()
    if answers["route"] == "direct":
        if delivery.route(now) is not None:
            delivery.set_route(None, actor=actor, at=now)
        return []
    service_id = _relay(answers, actor)
    user, password = answers.get("relay_user", ""), answers.get("relay_password", "")
    before = delivery.route(now)
    if password or before is None or (before.service_id, before.user) != (service_id, user):
        delivery.set_route(service_id, user=user, password=password, actor=actor, at=now)
    chosen = delivery.route(now)
    if chosen is None or not chosen.why_not:
        return []
    return [f"Mail waits. {' '.join(_words(chosen.why_not))}"]


def _words(code: str) -> tuple[str, str]:
    return next((said for why, said in vendors.WORDS.items() if why == code), (code, ""))


def _relay(answers: Answers, actor: Actor) -> UUID:
    """Return the relay's service in the register, made when it is not there."""
    now = CLOCK.now()
    for service in vendors.services(now, Kind.SMTP_ROUTE):
        if service.address == answers["relay_address"]:
            return service.id
    relation = Relation(answers["relay_relation"])
    vendor_id = _vendor(answers["relay_vendor"], relation, actor)
    if relation is Relation.ASSOCIATE:
        vendors.record_agreement(
            vendor_id,
            signed_on=_day(answers, "relay_signed_on"),
            valid_until=_day(answers, "relay_valid_until"),
            report_hours=int(answers["relay_report_hours"]),
            clauses=vendors.REQUIRED if answers["relay_clauses"] == "yes" else frozenset[Clause](),
            actor=actor,
            at=now,
        )
    service_id = vendors.create_service(
        vendor_id,
        kind=Kind.SMTP_ROUTE,
        name="Mail relay",
        address=answers["relay_address"],
        may_carry=[each.value for each in PhiClass],
        actor=actor,
        at=now,
    )
    if answers["relay_attested_by"]:
        today = now.astimezone(ZoneInfo(identity.organization().time_zone)).date()
        vendors.attest(
            service_id,
            frozenset(Control),
            by=answers["relay_attested_by"],
            evidence=answers["relay_evidence"],
            attested_on=today,
            expires_on=today + timedelta(days=ATTESTED_DAYS),
            actor=actor,
            at=now,
        )
    return service_id


def _vendors(answers: Answers, actor: Actor) -> None:
    for name in filter(None, (each.strip() for each in answers.get("vendors", "").split(","))):
        _vendor(name, Relation.ASSOCIATE, actor)


def _vendor(name: str, relation: Relation, actor: Actor) -> UUID:
    now = CLOCK.now()
    for each in vendors.vendors(now):
        if each.name.reveal() == name:
            return each.id
    return vendors.create_vendor(name, relation=relation, actor=actor, at=now)


def _retention(answers: Answers, actor: Actor) -> None:
    """Keep contents for the time that was said; a kind that has another time already keeps that."""
    days = answers.get("kept_days", "")
    for rule in retention.all_rules() if days else ():
        if rule.kind in (Retained.MESSAGES, Retained.CONVERSATIONS, Retained.TASKS) and rule.is_usual:
            retention.set_rule(rule.kind, int(days), actor=actor)


def _keys(answers: Answers, organization: Organization, actor: Actor) -> list[str]:
    """Have the chosen provider wrap the keys; one that does not do it yet is no reason to stop."""
    if answers["key_provider"] == "file":
        return []
    provider, key, name = answers["key_provider"], answers.get("kms_key", ""), "AWS KMS"
    if provider == "vault":
        key, name = answers["vault_key"], "Vault"
    try:
        keys.move(organization.id, f"{provider}:{key}", actor=actor)
    except SalusError as fault:
        return [
            f"The keys are wrapped by the key file until {name} does it: {fault} "
            f"Then run: salus keys move --to {provider} --key {key} --organization {organization.slug}"
        ]
    return []


def _day(answers: Answers, key: str) -> date | None:
    text = answers.get(key, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput("Write the day like 2026-12-01.", place=key) from None
