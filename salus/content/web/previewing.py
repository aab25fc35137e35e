"""Previews: HTML that is not ours, served alone, so that it can do nothing to our pages."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from salus.contacts import api as contacts
from salus.content import api
from salus.content.contracts import Preview
from salus.content.web.forms import DraftForm
from salus.content.web.views import LANGUAGES
from salus.identity.api import requires
from salus.identity.contracts import Permission
from salus.kernel.errors import BadInput, NotFound, SalusError
from salus.kernel.vocabulary import Channel
from salus.platform.web.foreign import foreign_html


@requires(Permission.CONTENT_TEMPLATE_READ)
@require_safe
def sample(request: HttpRequest, version_id: UUID, part: str) -> HttpResponse:
    """Show a version as the sample person gets it; `part` is "html" or "plain"."""
    version = api.version(version_id)
    return _shown(api.preview(version, actor=request.actor), plain=part == "plain")  # type: ignore[attr-defined]


@requires(Permission.CONTACTS_PHI_REVEAL)
@require_POST
def person(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Show a version as a chosen contact gets it: opened for the purpose "preview", and in the log."""
    version = api.version(version_id)
    try:
        contact_id = _find(request.POST.get("who", ""))
        preview = api.preview(version, contact_id=contact_id, actor=request.actor)  # type: ignore[attr-defined]
    except SalusError as error:
        return _say(str(error))
    return _shown(preview, plain=request.POST.get("shape") == "plain")


@requires(Permission.CONTENT_TEMPLATE_EDIT)
@require_POST
def draft(request: HttpRequest, template_id: UUID, language: str) -> HttpResponse:
    """Show what stands in the editor as the sample person would get it."""
    if language not in LANGUAGES:
        raise NotFound
    api.template_name(template_id)
    form = DraftForm(request.POST)
    if not form.is_valid():
        return _say("There is nothing to show yet.")
    analysis, preview = api.preview_draft(form.draft(language), actor=request.actor)  # type: ignore[attr-defined]
    if preview is None:
        count = len(analysis.problems)
        return _say(
            "One problem is in the way of a preview."
            if count == 1
            else f"{count} problems are in the way of a preview."
        )
    return _shown(preview, plain=request.POST.get("shape") == "plain")


def _find(who: str) -> UUID:
    """Return the contact with this e-mail address or record number; raises `BadInput`."""
    who = who.strip()
    if not who:
        raise BadInput("Write an e-mail address or a record number.")
    if "@" in who:
        found = contacts.find_by_address(Channel.EMAIL, who)
        if len(found) > 1:
            raise BadInput("Several people share this address.", next_step="Use a record number.")
        if found:
            return found[0]
    elif contact_id := contacts.find_by_identifier("mrn", who):
        return contact_id
    raise BadInput("Nobody here has this address or number.")


def _shown(preview: Preview, *, plain: bool) -> HttpResponse:
    if plain:
        return foreign_html(render_to_string("content/parts/plain.html", {"text": preview.rendered.text}))
    return foreign_html(preview.rendered.html)


def _say(text: str) -> HttpResponse:
    return foreign_html(render_to_string("content/parts/say.html", {"text": text}))
