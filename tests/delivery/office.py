"""A clinic at work, for tests: its patients, a template that two people agreed on, a sending to plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from salus.contacts import api as contacts
from salus.contacts.contracts import Address, ContactPatch, Identifier, Read
from salus.content import api as content
from salus.content.contracts import Classification
from salus.delivery.contracts import MessageSpec, Origin, Sender
from salus.gate import api as gate
from salus.identity import api as identity
from salus.identity.contracts import Organization, Role
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel, PhiClass, Promotes, Purpose, Remuneration

TOPIC = "visits"
REMINDER = Classification(Purpose.APPOINTMENT, Promotes.NOTHING, Remuneration.NONE, TOPIC)
"""A reminder: it tells of no diagnosis, so TLS to the host's own name is enough."""
EDUCATION = Classification(
    Purpose.CONDITION_EDUCATION, Promotes.NOTHING, Remuneration.NONE, "diabetes_care", conditions=("E11",)
)
"""About diabetes, to people in treatment for it: verified TLS or the portal."""
ASKS_FOR_DIABETES = (Read("conditions", PhiClass.DIAGNOSIS, origin="segment", place="$", code="E11"),)
"""What a segment of people with diabetes reads."""

LETTER = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{ contact.given_name }}, it is time for a visit. "
    "Please call us.</mj-text></mj-column></mj-section></mj-body></mjml>"
)


def staff(organization: Organization, role: Role) -> Actor:
    """Return the person with this role, acting; inside the organization's context."""
    person = next(each for each in identity.staff_members() if role in each.roles)
    return Actor(
        ActorKind.STAFF,
        organization.id,
        id=person.id,
        roles=tuple(each.value for each in person.roles),
        permissions=frozenset(word.value for word in identity.permissions_of(person.roles)),
    )


def patient(name: str, address: str | None, at: datetime, **values: Any) -> ContactPatch:
    """Return an invented patient in treatment for diabetes, whose address came with the care."""
    care = (at - timedelta(days=40)).date().isoformat()
    addresses = (
        (
            Address(
                Channel.EMAIL,
                Phi(address),
                AddressSource.CLINICAL_ENCOUNTER,
                "registration desk",
                at.date() - timedelta(days=400),
            ),
        )
        if address
        else ()
    )
    records = {
        "conditions": (
            {"id": f"c-{name}", "code": "E11.9", "system": "icd10", "date": care, "status": "active"},
        ),
        "encounters": ({"id": f"e-{name}", "date": care, "status": "finished"},),
    }
    records |= {key: values.pop(key) for key in ("conditions", "encounters") if key in values}
    return ContactPatch(
        identifiers=(Identifier("mrn", Phi(f"mrn-{name}")),),
        addresses=addresses,
        values={
            "given_name": name.capitalize(),
            "family_name": "Example",
            "birth_date": "1961-04-17",
            "relation": "patient",
            "state": "WA",
            "care_state": "WA",
            "country": "US",
            "language": "en",
            **values,
        },
        records=records,
        place=name,
    )


def admit(patches: Iterable[ContactPatch], actor: Actor) -> list[UUID]:
    """Put patients into the clinic; return their ids in order."""
    merged = contacts.merge(list(patches), actor=actor)
    assert all(each.contact_id for each in merged), merged
    return [each.contact_id for each in merged if each.contact_id]


def numbers(ids: Sequence[UUID]) -> list[int]:
    """Return the contact numbers of people, ascending."""
    return sorted(contacts.numbers_of(ids).values())


def template(
    organization: Organization,
    classification: Classification = REMINDER,
    *,
    language: str = "en",
    mjml: str = LETTER,
    confirmed: bool = True,
    template_id: UUID | None = None,
) -> UUID:
    """Return a template version that its author classified and, unless told not to, a reviewer confirmed."""
    author, reviewer = staff(organization, Role.AUTHOR), staff(organization, Role.PRIVACY_OFFICER)
    template_id = template_id or content.create_template("Time for a visit", actor=author)
    version = content.save_version(
        template_id, language=language, subject="A visit is due", mjml=mjml, actor=author
    )
    content.classify(version.id, classification, actor=author)
    if confirmed:
        content.confirm_classification(version.id, actor=reviewer)
    return version.id


def specify(
    organization: Organization,
    version_id: UUID,
    *,
    reads: Sequence[Read] = (),
    origin: Origin | None = None,
    **versions: UUID,
) -> MessageSpec:
    """Return a sending of a template version, as a campaign specifies it."""
    version = content.version(version_id)
    assert version.classification
    return MessageSpec(
        origin or Origin("campaign", new_id()),
        {version.language: version_id, **versions},
        gate.message_facts(
            version.classification,
            reads=[*version.analysis.reads, *reads],
            organization=organization,
            channel=Channel.EMAIL,
        ),
        Sender(organization.name, f"care@{organization.sending_domain}"),
    )
