"""What a journey may name, for the forms of the canvas: this organization's own, as its reader sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from salus.audiences import api as audiences
from salus.contacts import api as contacts
from salus.contacts.contracts import Attribute, AttributeType
from salus.content import api as content
from salus.content.contracts import TemplateVersion
from salus.identity.contracts import Permission
from salus.journeys import api
from salus.journeys.contracts import Call, Graph, Send
from salus.kernel.acting import Actor
from salus.platform.web.templatetags.salus import words as plain
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind

LANGUAGES = {"en": "English", "es": "Spanish"}
DERIVED = ({"key": "age", "label": "Age", "type": "number"},)
"""What is asked for but never set."""
ADDRESSES = (
    {"key": "email", "label": "E-mail address", "type": "presence"},
    {"key": "phone", "label": "Phone", "type": "presence"},
)
MOST_JOURNEYS = 200
JSON_TYPES = {"number": "number", "boolean": "bool", "string": "text"}


def vocabulary(graph: Graph, actor: Actor, at: datetime) -> dict[str, Any]:
    """Return every list of choices as JSON values; names are free text of staff: they count as PHI.

    Of templates those versions that are the newest, and those that `graph` uses. Who may not read the vendor
    register sees that `graph` calls a service, and no name of any.
    """
    offered = api.offered(at)
    templates = content.templates()
    names = {each.id: each.name for each in templates}
    newest = {version.id: version for each in templates for version in each.newest.values()}
    versions = [
        (names.get(each.template_id, each.name), each) for each in {**_in_use(graph), **newest}.values()
    ]
    return {
        "channels": [each.value for each in offered.channels],
        "languages": [_choice(code, label) for code, label in LANGUAGES.items()],
        "templates": [_template(name, version) for name, version in versions],
        "segments": [
            _choice(str(each.id), each.name.reveal()) | {"static": each.static}
            for each in audiences.segments()
        ],
        "attributes": [*DERIVED, *ADDRESSES, *map(_attribute, contacts.dictionary().values())],
        "events": [_event(kind) for kind in offered.kinds],
        "roles": [_choice(role.value, role.words) for role in offered.roles],
        "services": _services(graph, actor, at),
        "journeys": [_choice(str(each.id), each.name.reveal()) for each in api.journeys(limit=MOST_JOURNEYS)],
        "topics": sorted({each.classification.topic for _, each in versions if each.classification}),
    }


def _in_use(graph: Graph) -> Mapping[UUID, TemplateVersion]:
    sends = [step.does for step in graph.steps.values() if isinstance(step.does, Send)]
    return content.some_versions(id for send in sends for id in send.versions.values())


def _choice(id: str, label: str) -> dict[str, Any]:
    return {"id": id, "label": label}


def _template(name: str, version: TemplateVersion) -> dict[str, Any]:
    """Return a version as the list says it: name, number, what it is for, and whether that is confirmed."""
    about = version.classification
    purpose = "not classified yet" if about is None else plain(about.purpose).lower()
    confirmed = about is not None and about.confirmed_by is not None
    state = "" if about is None or confirmed else ", not confirmed"
    return {
        **_choice(str(version.id), f"{name}, version {version.number}: {purpose}{state}"),
        "name": name,
        "language": version.language,
        "confirmed": confirmed,
    }


def _attribute(attribute: Attribute) -> dict[str, Any]:
    found: dict[str, Any] = {"key": attribute.key, "label": attribute.label, "type": attribute.type.value}
    codes = contacts.CODE_LISTS.get(attribute.key)
    if attribute.type is AttributeType.CODE and codes is not None:
        found["codes"] = [_choice(code, pair[0]) for code, pair in codes.labels.items()]
    elif attribute.key == "language":
        found["codes"] = [_choice(code, pair[0]) for code, pair in contacts.LANGUAGES.items()]
    return found


def _event(kind: EventKind) -> dict[str, Any]:
    return {"kind": kind.value, "label": plain(kind.value), "details": _DETAILS.get(kind.value, [])}


def _details() -> dict[str, list[dict[str, str]]]:
    """Return the details of each kind that others tell of, as far as a condition can ask for them."""
    found = {}
    for one in timeline.schema()["oneOf"]:
        parts = one["properties"]["details"]["properties"]
        found[one["properties"]["kind"]["const"]] = [
            {"key": key, "label": plain(key), "type": JSON_TYPES.get(part.get("type", "string"), "text")}
            for key, part in parts.items()
            if part.get("type") != "object"
        ]
    return found | {EventKind.MESSAGE_CLICKED.value: [{"key": "link", "label": "Link", "type": "text"}]}


_DETAILS = _details()


def _services(graph: Graph, actor: Actor, at: datetime) -> list[dict[str, Any]]:
    """Return the services that a webhook reaches and that are in use, as far as `actor` may know of them."""
    if Permission.VENDORS_VENDOR_READ not in actor.permissions:
        called = {step.does.service_id for step in graph.steps.values() if isinstance(step.does, Call)}
        return [_choice(str(id), "A vendor's service") for id in sorted(called)]
    return [
        _choice(str(service.id), f"{vendor.name.reveal()}: {service.name.reveal()}")
        for vendor in vendors.vendors(at)
        for service in vendor.services
        if service.kind is Kind.WEBHOOK and service.why_not is None
    ]
