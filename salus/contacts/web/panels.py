"""Panels that higher storeys add to a contact's page: "May we write to this person?", recent events.

Contacts knows neither the gate nor the timeline, so wiring hands in functions that render them.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest
from django.utils.safestring import SafeString

Panel = Callable[[HttpRequest, UUID], SafeString | None]
"""Renders one `<section class="sheet">` about a contact, or None where there is nothing to say."""

_panels: list[Panel] = []


def use_panels(panels: list[Panel]) -> None:
    """Set the panels that stand on the page of a contact, in this order; wiring calls it once."""
    _panels[:] = panels


def panels_of(request: HttpRequest, contact_id: UUID) -> list[SafeString]:
    """Return the rendered panels of one contact."""
    rendered = (panel(request, contact_id) for panel in _panels)
    return [one for one in rendered if one is not None]
