"""The editor: write, look, save as the next version."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from salus.content import api
from salus.content.contracts import Analysis, Draft, TemplateVersion
from salus.content.web import panel as panels
from salus.content.web.forms import DraftForm
from salus.content.web.views import LANGUAGES
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.errors import NotFound

EMPTY_PAGE = """<mjml>
  <mj-body background-color="#f4f6f5">
    <mj-section background-color="#ffffff">
      <mj-column>
        <mj-text font-size="16px" line-height="25px">Hello {{ contact.given_name or "there" }},</mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""
_FIELDS = ("subject", "preheader", "text")


@requires(Permission.CONTENT_TEMPLATE_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, template_id: UUID, language: str) -> HttpResponse:
    """Show the newest version in a language to be changed; save it as the next one when nothing is wrong."""
    newest = _newest(template_id, language)
    form = DraftForm(request.POST or None, initial=_initial(newest))
    analysis: Analysis | None = None
    if request.method == "POST" and form.is_valid():
        draft = form.draft(language)
        analysis = api.analyse(draft)
        if not analysis.problems and request.POST.get("act") == "save":
            saved = api.save_version(
                template_id,
                language=language,
                subject=draft.subject,
                preheader=draft.preheader,
                mjml=draft.mjml,
                text=draft.text,
                actor=request.actor,  # type: ignore[attr-defined]
            )
            toast(request, f"Saved as version {saved.number}.")
            return redirect("content:version", saved.id)
        for problem in analysis.problems:
            field = (
                problem.place
                if problem.place in _FIELDS
                else "text"
                if problem.place.startswith("text")
                else "mjml"
            )
            form.add_error(field, f"{problem.place}: {problem.what}" if field == "mjml" else problem.what)
    elif request.method != "POST":
        analysis = newest.analysis if newest else api.analyse(_first_draft(language))
    context = {
        "form": form,
        "template_id": template_id,
        "name": api.template_name(template_id),
        "language": language,
        "language_name": LANGUAGES[language],
        "newest": newest,
        "next_number": newest.number + 1 if newest else 1,
        "domains": api.own_domains(),
        **_panel(analysis),
    }
    status = 422 if analysis is not None and analysis.problems and request.method == "POST" else 200
    return render(request, "content/edit.html", context, status=status)


@requires(Permission.CONTENT_TEMPLATE_EDIT)
@require_POST
def panel(request: HttpRequest, template_id: UUID, language: str) -> HttpResponse:
    """Return the panel of problems and PHI for what stands in the editor now."""
    _newest(template_id, language)
    form = DraftForm(request.POST)
    analysis = api.analyse(form.draft(language)) if form.is_valid() else None
    return render(request, "content/parts/panel.html", _panel(analysis))


def _panel(analysis: Analysis | None) -> dict[str, object]:
    if analysis is None:
        return {"disclosed": [], "problems": (), "notes": ()}
    return {
        "disclosed": panels.disclosed(analysis),
        "problems": analysis.problems,
        "notes": analysis.notes,
        "checked": True,
    }


def _newest(template_id: UUID, language: str) -> TemplateVersion | None:
    if language not in LANGUAGES:
        raise NotFound
    return next((one for one in api.versions(template_id) if one.language == language), None)


def _initial(newest: TemplateVersion | None) -> dict[str, str]:
    if newest is None:
        return {"subject": "", "preheader": "", "mjml": EMPTY_PAGE, "text": ""}
    return {
        "subject": newest.subject,
        "preheader": newest.preheader,
        "mjml": newest.mjml,
        "text": newest.text,
    }


def _first_draft(language: str) -> Draft:
    return Draft(language, "", "", EMPTY_PAGE)
