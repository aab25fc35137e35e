"""What a campaign sends and what the gate must know of it, from its segment and its template versions."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from uuid import UUID

from salus.audiences import api as audiences
from salus.audiences.contracts import Frozen
from salus.campaigns.contracts import CAMPAIGN
from salus.campaigns.models import CampaignRow
from salus.content import api as content
from salus.content.contracts import Classification, TemplateVersion
from salus.delivery.contracts import MessageSpec, Origin, Sender
from salus.gate import api as gate
from salus.identity import api as identity
from salus.identity.contracts import Organization
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Channel

LOCAL_PART = "care"
"""Messages come from care@<the sending domain>: an address that tells no specialty."""


def check_classified(row: CampaignRow) -> Classification:
    """Return what the campaign is for; raises `BadInput` when its languages do not say it, or differ."""
    return _classification([version.classification for version in versions_of(row)])


def versions_of(row: CampaignRow) -> list[TemplateVersion]:
    """Return the template versions of a campaign, one a language."""
    return [content.version(UUID(id)) for id in row.versions.values()]


def signed_for(row: CampaignRow) -> str:
    """Return a hash of what a sign-off vouches for: who is chosen, what is said, and what it is for."""
    said = [(language, id) for language, id in sorted(row.versions.items())]
    meant = [version.classification and _meaning(version.classification) for version in versions_of(row)]
    return sha256(repr((audiences.fingerprint(row.segment_id), said, meant)).encode()).hexdigest()


def specify(row: CampaignRow, audience: Frozen) -> MessageSpec:
    """Return what to send, with the facts that the gate needs; raises `BadInput` when it may not be said so."""
    assert row.plan_id is not None
    organization = identity.organization()
    for problem in content.check_sender_name(organization.name):  # it travels in the open
        raise BadInput(problem.what, place="sender name", next_step=problem.next_step)
    versions = {language: UUID(version) for language, version in row.versions.items()}
    loaded = versions_of(row)
    facts = gate.message_facts(
        _classification([version.classification for version in loaded]),
        reads=(*audience.reads, *(read for version in loaded for read in version.analysis.reads)),
        organization=organization,
        channel=Channel.EMAIL,
        sign_offs={name: UUID(evidence) for name, evidence in row.sign_offs.items()},
    )
    return MessageSpec(Origin(CAMPAIGN, row.plan_id), versions, facts, sender_of(organization))


def sender_of(organization: Organization) -> Sender:
    """Return who a campaign's messages are from."""
    return Sender(organization.name, f"{LOCAL_PART}@{organization.sending_domain}")


def _classification(found: list[Classification | None]) -> Classification:
    first = found[0]
    if first is None:
        raise BadInput(
            "The template is not classified.", place="template", next_step="Say what it is for first."
        )
    same = all(each is not None and _meaning(each) == _meaning(first) for each in found)
    if not same:
        raise BadInput("The languages of the template are classified differently.", place="template")
    return first


def _meaning(classification: Classification) -> tuple[object, ...]:
    return (
        classification.purpose,
        classification.promotes,
        classification.remuneration,
        classification.topic,
        classification.payer,
        classification.payer_is_promoted_party,
        classification.conditions,
        classification.confirmed_by is None,
    )


def check(name: str, segment_id: UUID, versions: Mapping[str, UUID]) -> None:
    """Raise `BadInput` for an empty name or versions that do not belong together, `NotFound` for strangers."""
    if not name.strip():
        raise BadInput("A campaign needs a name.", place="name")
    if not versions:
        raise BadInput("Choose a template.", place="template")
    audiences.segment(segment_id)
    for language, id in versions.items():
        if content.version(id).language != language:
            raise BadInput(f"This version is not in the language {language!r}.", place=f"versions.{language}")
