"""Pages that list templates and show one, and the organization's own domains."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from salus.content import api
from salus.content.contracts import ReviewStep, TemplateVersion
from salus.content.web import panel
from salus.content.web.forms import (
    NOTHING,
    ClassificationForm,
    DomainForm,
    NewTemplate,
    classification_initial,
)
from salus.identity import api as identity
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.errors import BadInput

LANGUAGES = {"en": "English", "es": "Spanish"}


@requires(Permission.CONTENT_TEMPLATE_READ)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show every template with its languages, what it discloses and how far its review is."""
    rows = [
        {
            "template": one,
            "versions": [
                {"version": version, "state": panel.state(version)}
                for _, version in sorted(one.newest.items())
            ],
            "classes": sorted(
                {read.phi_class.value for version in one.newest.values() for read in version.analysis.reads}
            ),
            "purpose": next(
                (version.classification.purpose for version in one.newest.values() if version.classification),
                "",
            ),
        }
        for one in api.templates()
    ]
    return render(request, "content/list.html", {"rows": rows})


@requires(Permission.CONTENT_TEMPLATE_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Make a template, empty or from one that comes with Salus."""
    form = NewTemplate(request.POST or None, initial={"start": NOTHING})
    actor = request.actor  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        try:
            template_id = api.create_template(form.cleaned_data["name"], actor=actor)
        except BadInput as fault:
            form.add_error("name", fault.what)
        else:
            starter = next((one for one in api.starters() if one.key == form.cleaned_data["start"]), None)
            if starter is None:
                return redirect("content:edit", template_id, "en")
            for draft in starter.drafts.values():
                api.save_version(
                    template_id,
                    language=draft.language,
                    subject=draft.subject,
                    preheader=draft.preheader,
                    mjml=draft.mjml,
                    text=draft.text,
                    actor=actor,
                )
            toast(request, "The template is made, in English and Spanish.")
            return redirect("content:template", template_id)
    return render(request, "content/new.html", {"form": form})


@requires(Permission.CONTENT_TEMPLATE_READ)
@require_safe
def template(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Show the newest version of a template; without one, go and write it."""
    found = api.versions(template_id)
    if not found:
        context = {"name": api.template_name(template_id), "template_id": template_id}
        return render(request, "content/empty.html", context)
    english = next((one for one in found if one.language == "en"), found[0])
    return _show(request, english, found)


@requires(Permission.CONTENT_TEMPLATE_READ)
@require_safe
def version(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Show one version: what it looks like, what it discloses, what it is for, who agreed."""
    shown = api.version(version_id)
    return _show(request, shown, api.versions(shown.template_id))


def _show(
    request: HttpRequest,
    shown: TemplateVersion,
    every: list[TemplateVersion],
    form: ClassificationForm | None = None,
) -> HttpResponse:
    newest: dict[str, TemplateVersion] = {}
    for one in every:
        newest.setdefault(one.language, one)
    history = api.history(shown.id)
    people = [shown.authored_by, *(review.actor_id for review in history)]
    names = identity.staff_names([person for person in people if person is not None])
    actor = request.actor  # type: ignore[attr-defined]
    stands = shown.classification
    proposed_by = stands.authored_by if stands else None
    return render(
        request,
        "content/version.html",
        {
            "version": shown,
            "subject": api.preview(shown, actor=actor).rendered.subject,
            "author": names.get(shown.authored_by, "Salus") if shown.authored_by else "Salus",
            "state": panel.state(shown),
            "languages": [
                {"code": code, "name": name, "version": newest.get(code), "current": code == shown.language}
                for code, name in LANGUAGES.items()
            ],
            "older": [one for one in every if one.language == shown.language and one.id != shown.id],
            "disclosed": panel.disclosed(shown.analysis),
            "notes": shown.analysis.notes,
            "source": panel.marked(shown.mjml),
            "classification": stands,
            "conditions": panel.conditions(stands) if stands else "",
            "form": form or ClassificationForm(initial=classification_initial(stands)),
            "history": [
                {
                    "review": review,
                    "who": names.get(review.actor_id, "somebody"),
                    "kind": {ReviewStep.PROPOSED: "wait", ReviewStep.CONFIRMED: "clear"}.get(
                        review.step, "refuse"
                    ),
                    "icon": {ReviewStep.PROPOSED: "flag", ReviewStep.CONFIRMED: "check"}.get(
                        review.step, "bar"
                    ),
                }
                for review in history
            ],
            "mine": actor.id in {shown.authored_by, proposed_by},
        },
        status=422 if form is not None else 200,
    )


def show_again(request: HttpRequest, version_id: UUID, form: ClassificationForm) -> HttpResponse:
    """Show a version's page with a classification form that has errors; nothing typed is lost."""
    shown = api.version(version_id)
    return _show(request, shown, api.versions(shown.template_id), form)


@requires(Permission.ORGANIZATION_SETTINGS_READ)
@require_http_methods(["GET", "HEAD", "POST"])
def domains(request: HttpRequest) -> HttpResponse:
    """Show the domains that messages may link to; add and remove them."""
    form = DomainForm(None)
    actor = request.actor  # type: ignore[attr-defined]
    if request.method == "POST":
        if gone := request.POST.get("remove"):
            api.remove_own_domain(gone, actor=actor)
            toast(request, "Removed. Versions that link there stay as they are.")
            return redirect("content:domains")
        form = DomainForm(request.POST)
        if form.is_valid():
            try:
                api.add_own_domain(form.cleaned_data["domain"], actor=actor)
            except BadInput as fault:
                form.add_error("domain", f"{fault.what} {fault.next_step}")
            else:
                toast(request, "Added.")
                return redirect("content:domains")
    sending, *others = api.own_domains()
    return render(request, "content/domains.html", {"sending": sending, "others": others, "form": form})
