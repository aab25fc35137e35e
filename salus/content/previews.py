"""Shows what a reader would see, as a sample person or as a chosen contact. Nothing is sent or counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.content import builtin, footers, people, rendering
from salus.content.contracts import Analysis, House, Preview, Sources
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound

PURPOSE = "preview"
NOWHERE = "https://preview.example.invalid/"
_LINKS = ("portal", "choices", "unsubscribe", "why")
_ELEMENTS = ("unsubscribe_link", "preference_link", "postal_address")


def render(
    sources: Sources, analysis: Analysis, language: str, values: Mapping[str, Any], house: House, at: date
) -> Preview:
    """Return the preview of `sources` with plain `values`; its links lead nowhere and count nothing."""
    wanted = [name for name in _ELEMENTS if name != "postal_address" or house.org.get("postal_address")]
    footed = footers.with_footer(sources, language, wanted, house)
    compiled = rendering.compiled(footed, language=language, renderer=builtin.full_renderer())
    contact = people.formatter().contact(sources.needs, values, language, at)
    links = {name: NOWHERE + name for name in _LINKS}
    links |= {link.key: NOWHERE + link.key for link in sources.links}
    rendered = compiled.render({"contact": contact, "org": house.org, "link": links})
    return Preview(rendered, analysis, people.fields_to_open(sources.needs))


def values_of(sources: Sources, contact_id: UUID, *, version_id: UUID | None, actor: Actor) -> dict[str, Any]:
    """Open what a version needs of one contact, for the purpose "preview"; raises `NotFound`."""
    fields = people.fields_to_open(sources.needs)
    opened = contacts.open_fields(
        ids=[contact_id], fields=fields, purpose=PURPOSE, actor=actor, revealed=True
    )
    if not opened:
        raise NotFound
    audit.record(
        Action.TEMPLATE_PREVIEW,
        actor=actor,
        object_kind="template_version",
        object_id=version_id,
        patient_id=contact_id,
        fields=sorted(fields),
        purpose=PURPOSE,
    )
    return people.plain_values(opened[0])
