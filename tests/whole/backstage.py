"""What the test by hand needs from inside an installation: its staff, and a look past every check of the application.

Started as `python tests/whole/backstage.py WORD ...` in the installation's environment; prints JSON.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from salus.wiring.cli import setup

setup()

from django.apps import apps  # noqa: E402
from django.db.models import QuerySet  # noqa: E402

from salus.contacts import api as contacts  # noqa: E402
from salus.contacts.contracts import ContactPatch, Identifier  # noqa: E402
from salus.delivery import routing  # noqa: E402
from salus.delivery.laboratory import Authority  # noqa: E402
from salus.duplicates import api as duplicates  # noqa: E402
from salus.files import api as files  # noqa: E402
from salus.identity import api as identity  # noqa: E402
from salus.identity import break_glass, roles  # noqa: E402
from salus.identity.contracts import Permission, Role  # noqa: E402
from salus.identity.rules import NOT_FOR_KEYS  # noqa: E402
from salus.inbox import api as inbox  # noqa: E402
from salus.inbox.contracts import NewTask  # noqa: E402
from salus.journeys import api as journeys  # noqa: E402
from salus.kernel.acting import Actor, ActorKind, system  # noqa: E402
from salus.kernel.ids import new_id  # noqa: E402
from salus.kernel.phi import Phi  # noqa: E402
from salus.kernel.vocabulary import SenderRole  # noqa: E402
from salus.platform.tenancy import TenantModel, acting_for  # noqa: E402
from salus.privacy import api as privacy  # noqa: E402
from salus.privacy.contracts import Disclosure, Ground  # noqa: E402
from salus.privacy.contracts import Kind as RequestKind  # noqa: E402
from salus.retention import api as retention  # noqa: E402
from salus.sealedmail import api as sealedmail  # noqa: E402
from salus.shaping import store  # noqa: E402
from salus.shaping.contracts import Act, Measure, Whose  # noqa: E402
from salus.vendors import api as vendors  # noqa: E402
from salus.vendors.contracts import Clause, Kind  # noqa: E402

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(80)


def staff(name: str, slug: str) -> dict[str, Any]:
    """Make a clinic with one person a role; tell how each signs in."""
    made = identity.create_organization(
        name=name,
        slug=slug,
        sender_role=SenderRole.PROVIDER,
        postal_address="3 Mill Lane, Albany, NY 12207",
        phone="518-555-0177",
        sending_domain=f"mail.{slug}.example.org",
        time_zone="America/New_York",
        demo=True,
    )
    identity.create_demo_staff(made)
    people = {
        each.role.value: {"email": each.email, "password": each.password, "otpauth": each.otpauth}
        for each in identity.demo_sign_ins(made)
    }
    return {"id": str(made.id), "name": made.name, "phone": made.phone, "people": people}


def key(organization: str) -> str:
    """Make a key for programs that may do everything that a key may do."""
    organization_id = UUID(organization)
    with acting_for(organization_id):
        return identity.create_api_key(
            "a program",
            [each for each in Permission if each not in NOT_FOR_KEYS],
            actor=system(organization_id, "test"),
            allowed=Permission,
        )


def outside(organization: str) -> dict[str, str]:
    """Register a vendor with an agreement and a service, ask for a task, start a journey; return the id of each."""
    organization_id, at = UUID(organization), datetime.now(UTC)
    given: dict[str, Any] = {"actor": system(organization_id, "test"), "at": at}
    with acting_for(organization_id):
        vendor_id = vendors.create_vendor("Harbor Print and Post", **given)
        agreement_id = vendors.record_agreement(
            vendor_id, signed_on=None, report_hours=24, clauses=frozenset(Clause), **given
        )
        service_id = vendors.create_service(
            vendor_id,
            kind=Kind.WEBHOOK,
            name="Letters",
            address="https://hooks.harbor.example/salus",
            may_carry=["contact"],
            **given,
        )
        relay_id = vendors.create_service(
            vendor_id,
            kind=Kind.SMTP_ROUTE,
            name="Relay",
            address="smtp://relay.harbor.example",
            may_carry=["contact"],
            **given,
        )
        routing.keep_ready("spare", relay_id, **given)
        [standby] = routing.ready(at)
        subcontractor_id = vendors.record_subcontractor(
            vendor_id, name="Tern Cloud", does="Keeps the servers", **given
        )
        (contact_id, _, _), (second_id, _, _), *_ = contacts.recent(2)
        task = NewTask(
            "by-hand", contact_id, Role.PRIVACY_OFFICER, "Look at a request", at + timedelta(days=1)
        )
        task_id = inbox.create_tasks([task], **given)["by-hand"]
        journey = a_journey(organization_id, contact_id, at)
        provider_id = identity.save_provider(
            "oidc",
            {
                "name": "Harbor",
                "domains": ["harbor.example"],
                "role_claim": "groups",
                "address": "https://id.harbor.example",
                "client_id": "salus",
            },
            {"marketer": ["writers"]},
            actor=system(organization_id, "test"),
        )
        anchor_id = sealedmail.trust(Authority(at).pem.encode(), **given)
        measure = Measure(
            new_id(),
            organization_id,
            "yahoo",
            Act.SUSPEND,
            Whose.ORGANIZATION,
            at + timedelta(hours=2),
            None,
            None,
        )
        talk = a_conversation(contact_id, **given)
        request_id = privacy.receive(contact_id, RequestKind.ACCESS, note="", received_at=at, **given)
        acts = acts_of_people(organization_id, contact_id, at)
    store.take(measure, "yahoo", "yahoo-complaints", "421 4.7.0", at)
    made = {"vendor": vendor_id, "agreement": agreement_id, "service": service_id, "task": task_id, **journey}
    made |= {"subcontractor": subcontractor_id, "provider": provider_id, "request": request_id}
    made |= {"first": contact_id, "second": second_id, "anchor": anchor_id, "measure": measure.id}
    made |= {"standby": standby.id}
    made |= {"other": second_id, **talk, **acts}
    return {f"{name}_id": str(id) for name, id in made.items()}


def a_conversation(contact_id: UUID, *, actor: Actor, at: datetime) -> dict[str, UUID]:
    """Let a patient write with a picture; return the id of the conversation and of the file."""
    about, draft_id = new_id(), new_id()
    taken = files.take(contact_id, "rash.png", [PICTURE], draft_id=draft_id, actor=actor, at=at)
    inbox.hear(
        contact_id, about, "Is this normal?", file_ids=[taken.id], draft_id=draft_id, actor=actor, at=at
    )
    (talk,) = [each.id for each in inbox.conversations(waiting=False) if each.message_id == about]
    return {"conversation": talk, "file": taken.id}


def acts_of_people(organization_id: UUID, contact_id: UUID, at: datetime) -> dict[str, UUID]:
    """Make a role, take emergency access, merge two records, note a disclosure, put a hold; return the id of each."""
    officer = somebody(organization_id, Role.PRIVACY_OFFICER)
    role = roles.create("Front desk", [Permission.CONTACTS_RECORD_READ], actor=officer)
    glass = break_glass.open_glass(
        Permission.CONTACTS_PHI_REVEAL,
        "Dana is ill and a patient calls now",
        15,
        actor=somebody(organization_id, Role.MARKETER),
    )
    pair = [
        ContactPatch(
            (Identifier("mrn", Phi(new_id().hex)),), values={"given_name": "Twice", "family_name": "Told"}
        )
        for _ in range(2)
    ]
    kept, gone = (each.contact_id for each in contacts.merge(pair, actor=officer))
    assert kept
    assert gone
    made = Disclosure(
        at - timedelta(days=2),
        Phi("County Health"),
        Phi("1 Main Street"),
        Phi("A laboratory result"),
        Phi("A reportable disease"),
        Ground.PUBLIC_HEALTH,
    )
    return {
        "hold": retention.put(contact_id, reason="A case", reference="", actor=officer, at=at),
        "role": role.id,
        "glass": glass.id,
        "merge": duplicates.merge(kept, gone, {}, "They are one", actor=officer, at=at),
        "disclosure": privacy.record_disclosure(contact_id, made, actor=officer, at=at),
    }


def somebody(organization_id: UUID, role: Role) -> Actor:
    """Return the person with a role, who may do what the role opens."""
    found = next(each for each in identity.staff_members() if role in each.roles)
    may = frozenset(word.value for word in identity.permissions_of(found.roles))
    return Actor(ActorKind.STAFF, organization_id, found.id, roles=(role.value,), permissions=may)


def a_journey(organization_id: UUID, contact_id: UUID, at: datetime) -> dict[str, UUID]:
    """Start a journey with somebody in it, and draw its next version; return the id of each."""
    author, officer = (somebody(organization_id, role) for role in (Role.MARKETER, Role.PRIVACY_OFFICER))
    drawn = {
        "schema": 1,
        "name": "Only a wait",
        "enter": [{"kind": "by_hand"}],
        "start": "pause",
        "steps": {
            "pause": {"kind": "wait", "title": "A day", "span": {"days": 1}, "ports": {"next": "end"}},
            "end": {"kind": "exit", "title": "The end", "ports": {}},
        },
    }
    draft = journeys.create(journeys.read(drawn), actor=author, at=at)
    handed_in = journeys.submit(draft.id, actor=author, at=at)
    journeys.approve(draft.id, seen=handed_in.changed_at, actor=officer, at=at)
    live = journeys.go_live(draft.id, actor=author, at=at)
    number = contacts.numbers_of([contact_id])[contact_id]
    journeys.enrol_numbers(live.journey_id, [f"C-{number}"], actor=author, at=at)
    [diary] = journeys.diaries_of(contact_id, actor=officer)
    other = journeys.new_draft(live.id, actor=author, at=at)
    return {
        "journey": live.journey_id,
        "journeys_version": live.id,
        "other": other.id,
        "enrolment": diary.enrolment_id,
    }


def unchecked(acting: str, wanted: str) -> dict[str, list[int]]:
    """Count the rows of every tenant's model in the context of `acting`, with a manager that checks nothing.

    For each model: all rows that are seen, and those of the organization `wanted` among them.
    """
    found = {}
    with acting_for(UUID(acting)):
        for model in apps.get_models():
            if issubclass(model, TenantModel):
                rows: QuerySet[Any] = QuerySet(model)
                found[model._meta.db_table] = [
                    rows.count(),
                    rows.filter(organization_id=UUID(wanted)).count(),
                ]
    return found


if __name__ == "__main__":
    words = {each.__name__: each for each in (staff, key, outside, unchecked)}
    json.dump(words[sys.argv[1]](*sys.argv[2:]), sys.stdout)
