"""The page of the first run: the questions part by part, then one button; there until there is an organization."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from salus.domains import api as domains
from salus.identity import api as identity
from salus.kernel.errors import BadInput, NotFound, SalusError
from salus.platform.tenancy import acting_for
from salus.wiring.setup import answers, doorkeeper, steps
from salus.wiring.setup.questions import SECTIONS, Answers
from salus.wiring.setup.web import forms

COOKIE = "salus_first_run"
View = Callable[..., HttpResponse]


def _first_run(view: View) -> View:
    """Let in the browser that brought the token, while there is no organization; to all others it is absent."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: str) -> HttpResponse:
        cookie = request.COOKIES.get(COOKIE, "")
        if not cookie or not doorkeeper.knows(settings.HOME, cookie) or identity.organizations():
            raise NotFound
        return view(request, **kwargs)

    return guarded


@require_safe
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token, which works once, for a cookie."""
    cookie = None if identity.organizations() else doorkeeper.spend(settings.HOME, token)
    if cookie is None:
        raise NotFound
    response = redirect("first_run:section", SECTIONS[0].key)
    response.set_cookie(
        COOKIE,
        cookie,
        path="/first-run/",
        httponly=True,
        samesite="Strict",
        secure=not settings.SALUS_LOOPBACK,
    )
    return response


@_first_run
@require_http_methods(["GET", "HEAD", "POST"])
def section(request: HttpRequest, key: str) -> HttpResponse:
    """Ask the questions of one part, and keep the answers."""
    place = next((at for at, each in enumerate(SECTIONS) if each.key == key), None)
    if place is None:
        raise NotFound
    part, home = SECTIONS[place], settings.HOME.path
    known = answers.kept(home)
    form = forms.of_section(part, known, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        answers.keep(home, {**known, **form.cleaned_data})
        after = SECTIONS[place + 1 :]
        return redirect("first_run:section", after[0].key) if after else redirect("first_run:check")
    context = {
        "part": part,
        "form": form,
        "at": place + 1,
        "of": len(SECTIONS),
        "before": SECTIONS[place - 1].key if place else "",
    }
    return render(request, "setup/section.html", context, status=400 if form.errors else 200)


@sensitive_post_parameters("relay_password")
@_first_run
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Show the answers, ask for the secrets, and set everything up."""
    known = answers.kept(settings.HOME.path)
    try:
        whole = answers.whole({"relay_password": "-", **known})
    except BadInput as fault:
        key = next(
            (each.key for each in SECTIONS for one in each.questions if one.key == fault.place),
            SECTIONS[0].key,
        )
        return redirect("first_run:section", key)
    form = forms.of_secrets(whole, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            return _set_up(request, {**whole, **form.cleaned_data})
        except SalusError as fault:
            form.add_error(None, str(fault))
    context = {"form": form, "name": whole["name"], "parts": _shown(whole), "last": SECTIONS[-1].key}
    return render(request, "setup/check.html", context, status=400 if form.errors else 200)


def _set_up(request: HttpRequest, whole: Answers) -> HttpResponse:
    with doorkeeper.at_work(settings.HOME):
        if identity.organizations():  # somebody else was quicker
            raise NotFound
        answers.choose(settings.HOME.path, whole, os.environ.get("DATABASE_URL"))
        done = steps.set_up(whole)
        doorkeeper.close(settings.HOME)
        with acting_for(done.organization.id):
            seen = domains.look_up(done.organization.sending_domain, done.records, steps.CLOCK.now())
        context = {
            "done": done,
            "seen": seen,
            "public_url": whole["public_url"].rstrip("/"),
            "test_to": whole["test_to"],
        }
        return render(request, "setup/done.html", context)


def _shown(whole: Answers) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return each part with what was answered: key, title, (label, answer)."""
    return [
        (
            part.key,
            part.title,
            [
                (each.label, dict(each.choices).get(whole[each.key], whole[each.key]))
                for each in part.questions
                if each.key in whole and each.key != "relay_password"
            ],
        )
        for part in SECTIONS
    ]
