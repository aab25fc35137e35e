"""A clinic with one campaign in every state a message can be in, made through the real doors but for the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from salus.audit import api as audit
from salus.campaigns.contracts import CAMPAIGN, Status
from salus.campaigns.models import CampaignRow
from salus.campaigns.queries import seal_text
from salus.contacts import api as contacts
from salus.contacts.contracts import Address, ContactPatch, Identifier, Read
from salus.content import api as content
from salus.content.contracts import Classification
from salus.delivery import api as delivery
from salus.delivery import leasing, outcomes, preparing
from salus.delivery.building import Builder
from salus.delivery.contracts import Fetch, MessageSpec, Origin, PlanCounts, Sender, State
from salus.delivery.models import MessageRow
from salus.delivery.outcomes import Outcome
from salus.delivery.preparing import Prepared
from salus.delivery.protection.dkim import Signer
from salus.delivery.sealing import TRACK, message_binding, open_content
from salus.delivery.status import Kind
from salus.gate import api as gate
from salus.identity import api as identity
from salus.identity.contracts import Organization, Role
from salus.kernel.acting import Actor, ActorKind, system
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.time import FakeClock, SystemClock
from salus.kernel.vocabulary import (
    AddressSource,
    Channel,
    PhiClass,
    Promotes,
    Protection,
    Purpose,
    Remuneration,
)
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for

TOPIC = "diabetes_care"
NAME = "A1c check, time to book"
MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{ contact.given_name }}, it is time for your check-up. "
    "Call us.</mj-text></mj-column></mj-section></mj-body></mjml>"
)
TLS = {
    "version": "TLSv1.3",
    "cipher": "TLS_AES_256_GCM_SHA384",
    "host": "mx1.lakepost.example.org",
    "peer": "partner",
    "fingerprint": "9f41c07e521baa08" * 4,
}


@dataclass(frozen=True)
class World:
    """The clinic, its campaign, and its messages by what became of them."""

    organization: Organization
    campaign_id: UUID
    plan_id: UUID
    counts: PlanCounts
    messages: dict[str, list[UUID]]
    people: list[UUID]
    at: datetime

    @property
    def origin(self) -> Origin:
        """Return the sending."""
        return Origin(CAMPAIGN, self.plan_id)

    def message(self, kind: str, place: int = 0) -> UUID:
        """Return one of the messages that ended so."""
        return self.messages[kind][place]


def staff(organization: Organization, role: Role) -> Actor:
    """Return the person with this role, acting; inside the organization's context."""
    person = next(each for each in identity.staff_members() if role in each.roles)
    return Actor(
        ActorKind.STAFF,
        organization.id,
        id=person.id,
        roles=tuple(role.value for role in person.roles),
        permissions=frozenset(word.value for word in identity.permissions_of(person.roles)),
    )


def make_people(count: int, actor: Actor, at: datetime) -> list[UUID]:
    """Return patients in treatment for diabetes, the last quarter of them not; every sixth without an address."""
    care = (at - timedelta(days=40)).date().isoformat()
    patches = []
    for number in range(count):
        in_treatment = number < count * 3 // 4
        patches.append(
            ContactPatch(
                identifiers=(Identifier("mrn", Phi(f"M{new_id().hex}")),),
                addresses=(
                    Address(
                        Channel.EMAIL,
                        Phi(f"patient{number}@lakepost.example.test"),
                        AddressSource.CLINICAL_ENCOUNTER,
                        "registration desk",
                        at.date() - timedelta(days=400),
                    ),
                )
                if number % 6 != 5
                else (),
                values={
                    "given_name": f"Givenname{number}",
                    "family_name": f"Familyname{number}",
                    "birth_date": f"19{50 + number % 40}-04-17",
                    "relation": "patient",
                    "state": "WA",
                    "care_state": "WA",
                    "country": "US",
                    "language": "en",
                },
                records={
                    "conditions": (
                        {
                            "id": f"c{number}",
                            "code": "E11.9",
                            "system": "icd10",
                            "text": "Type 2 diabetes",
                            "date": care,
                            "status": "active",
                        },
                    ),
                    "encounters": ({"id": f"e{number}", "date": care, "status": "finished"},),
                }
                if in_treatment
                else {},
                place=f"line {number}",
            )
        )
    merged = contacts.merge(patches, actor=actor)
    assert all(each.contact_id for each in merged), merged
    return [each.contact_id for each in merged if each.contact_id]


def make_version(organization: Organization) -> UUID:
    """Return a template version whose classification a second person has confirmed."""
    author, reviewer = staff(organization, Role.AUTHOR), staff(organization, Role.PRIVACY_OFFICER)
    template = content.create_template("A1c due", actor=author)
    version = content.save_version(
        template, language="en", subject="A check-up is due", mjml=MJML, actor=author
    )
    content.classify(
        version.id,
        Classification(
            Purpose.CONDITION_EDUCATION,
            Promotes.NOTHING,
            Remuneration.NONE,
            TOPIC,
            conditions=("E11",),
        ),
        actor=author,
    )
    content.confirm_classification(version.id, actor=reviewer)
    return version.id


def make_plan(
    organization: Organization, people: Sequence[UUID], version_id: UUID, at: datetime
) -> tuple[Origin, PlanCounts]:
    """Return a planned sending to these people, as a campaign plans it."""
    actor = system(organization.id, "test")
    version = content.version(version_id)
    assert version.classification
    facts = gate.message_facts(
        version.classification,
        reads=[
            *version.analysis.reads,
            Read("conditions", PhiClass.DIAGNOSIS, origin="segment", place="$", code="E11"),
        ],
        organization=organization,
        channel=Channel.EMAIL,
    )
    origin = Origin(CAMPAIGN, new_id())
    spec = MessageSpec(
        origin,
        {"en": version_id},
        facts,
        Sender(organization.name, f"care@{organization.sending_domain}"),
    )
    numbers = sorted(contacts.numbers_of(people).values())
    return origin, delivery.plan(spec, numbers, actor=actor, clock=FakeClock(at))


def make_campaign(
    organization: Organization,
    origin: Origin | None,
    counts: PlanCounts | None,
    version_id: UUID,
    *,
    status: Status,
    name: str = NAME,
    at: datetime,
    note: str = "",
    launch_at: datetime | None = None,
) -> UUID:
    """Return a campaign that stands so; how it gets there is tested with campaigns."""
    author = staff(organization, Role.MARKETER)
    id = new_id()
    planned: dict[str, Any] | None = None
    if counts:
        planned = {
            "planned": counts.planned,
            "cleared": counts.cleared,
            "refused": dict(counts.refused),
            "by_rule": dict(counts.by_rule),
            "by_floor": dict(counts.by_floor),
        }
    CampaignRow(
        id=id,
        sealed=seal_text(id, name=name, note=note),
        status=status,
        segment_id=new_id(),
        versions={"en": str(version_id)},
        author_id=author.id,
        plan_id=origin.id if origin else None,
        planned=planned,
        planned_people=counts.planned if counts else None,
        launch_at=launch_at,
        created_at=at,
        changed_at=at,
    ).save(force_insert=True)
    return id


def take_on(origin: Origin, limit: int, actor: Actor, at: datetime) -> list[Prepared]:
    """Lease and prepare messages of a sending, as a sender does; the batch mark is written."""
    batch = preparing.prepare(leasing.lease(1000, at), actor=actor, at=at)
    mine = [each for each in batch.prepared if each.origin == origin][:limit]
    leasing.mark_begun([each.lease for each in mine])
    return mine


def accepted(prepared: Prepared, at: datetime) -> Outcome:
    """Return that the peer took it, with the hash of the bytes that a sender makes."""
    organization = identity.organization()
    signer = Signer(organization.sending_domain, keys.dkim_keys(organization.sending_domain))
    built = Builder(organization, signer, keys.blinder()).build(prepared, prepared.links, prepared.checked_at)
    return Outcome(
        prepared, State.ACCEPTED, at, Protection.VERIFIED, TLS, "250 2.0.0", body_hash=built.body_hash
    )


def to_portal(prepared: Prepared, at: datetime, reason: str = "no_starttls") -> Outcome:
    """Return that the way could not be protected."""
    return Outcome(prepared, State.PORTAL, at, Protection.PORTAL, {}, reason=reason)


def bounced(prepared: Prepared, at: datetime) -> Outcome:
    """Return that there is no such mailbox."""
    return Outcome(prepared, State.BOUNCED, at, None, TLS, "550 5.1.1", "no_such_mailbox", Kind.HARD)


def seal_log() -> None:
    """Give everything its place in the log, and sign it."""
    while audit.integrate():
        pass
    audit.checkpoint()


def make_world(
    organization: Organization, *, people: int = 24, name: str = NAME, status: Status = Status.DONE
) -> World:
    """Return a clinic whose campaign was sent: mostly taken, some in the portal, some bounced, two opted out."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
    with acting_for(organization.id):
        actor = system(organization.id, "test")
        contact_ids = make_people(people, actor, at)
        for contact_id in contact_ids[:2]:
            permissions.opt_out(contact_id, TOPIC, Channel.EMAIL, evidence="by phone", actor=actor)
        version_id = make_version(organization)
        origin, counts = make_plan(organization, contact_ids, version_id, SystemClock().now())
        campaign_id = make_campaign(
            organization, origin, counts, version_id, status=status, name=name, at=at, launch_at=at
        )
        delivery.release(origin, not_before=at, actor=actor)
        now = SystemClock().now()
        prepared = take_on(origin, people, actor, now)
        messages = _send(prepared, actor, now)
        messages["refused"] = [
            each.message_id for each in delivery.recipients(origin, states=[State.REFUSED])
        ]
        seal_log()
    return World(organization, campaign_id, origin.id, counts, messages, contact_ids, now)


def _send(prepared: list[Prepared], actor: Actor, at: datetime) -> dict[str, list[UUID]]:
    """Hand over: three to the portal, two bounce, one is uncertain, the others are taken."""
    messages: dict[str, list[UUID]] = {}
    results = []
    for place, each in enumerate(prepared):
        if place in {0, 1, 2}:
            made, kind = to_portal(each, at), "portal"
        elif place in {3, 4}:
            made, kind = bounced(each, at), "bounced"
        else:
            made, kind = accepted(each, at), "accepted"
        results.append(made)
        messages.setdefault(kind, []).append(each.lease.message_id)
    counted = outcomes.record(results, [], actor=actor, at=at)
    assert len(counted) == len(prepared)
    return messages


AGENTS = {
    "person": "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0",
    "proxy": "Mozilla/5.0 (via ggpht.com GoogleImageProxy)",
    "scanner": "Proofpoint URL Defense",
}


def track_token(world: World, message_id: UUID) -> str:
    """Return the token with which a message's picture and links count."""
    with acting_for(world.organization.id):
        row = MessageRow.objects.get(id=message_id)
        binding = message_binding(world.organization.id, message_id)
        return open_content(keys.sealer(), binding, row.sealed).tokens[TRACK]


def fetch_picture(
    world: World, message_id: UUID, by: str, *, after: timedelta = timedelta(minutes=5)
) -> None:
    """Fetch the picture of a message as a person, a proxy or a scanner does; outside any context."""
    delivery.record_open(track_token(world, message_id), Fetch(world.at + after, AGENTS[by], "GET"))
