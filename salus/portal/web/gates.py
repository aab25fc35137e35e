"""Who may see a page: whoever has a good link, or a patient with a living session; and in which language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from salus.identity import api as identity
from salus.identity.contracts import Organization
from salus.kernel.errors import BadInput, NotFound
from salus.keys import api as keys
from salus.patients import api as patients
from salus.patients.contracts import PatientSession
from salus.platform.tenancy import acting_for
from salus.portal import api
from salus.portal.words import LANGUAGES, Words

SESSION_COOKIE = "salus_patient"
LANGUAGE_COOKIE = "salus_language"
YEAR = 365 * 24 * 3600

View = Callable[..., HttpResponseBase]


class Visit:
    """What a page knows of its visitor; put on the request as `visit`."""

    def __init__(self, request: HttpRequest) -> None:
        self.ip = request.META.get("REMOTE_ADDR", "")
        asked = request.GET.get("lang", "")
        self.switched = asked if asked in LANGUAGES else ""
        chosen = self.switched or request.COOKIES.get(LANGUAGE_COOKIE, "")
        self.chosen = chosen in LANGUAGES
        spanish = request.headers.get("Accept-Language", "").lower().startswith("es")
        self.language = chosen if self.chosen else "es" if spanish else "en"
        self.clinic: Organization | None = None
        self.session: PatientSession | None = None

    def prefer(self, language: str) -> None:
        """Speak the language of the message, unless the visitor has chosen one."""
        if not self.chosen and language in LANGUAGES:
            self.language = language

    @property
    def words(self) -> Words:
        """Return the words of the visitor's language."""
        return Words(self.language)


def visit_of(request: HttpRequest) -> Visit:
    """Return the visit of a request that went through a gate."""
    found: Visit = request.visit  # type: ignore[attr-defined]
    return found


def session_of(request: HttpRequest) -> PatientSession:
    """Return the patient's session of a request that went through `for_patient`."""
    session = visit_of(request).session
    assert session is not None
    return session


def page(
    request: HttpRequest, template: str, status: int = 200, *, here: str | None = None, **context: Any
) -> HttpResponse:
    """Render a page of the portal in the visitor's language, and remember the language they switched to.

    `here` is the address at which the page can be had in the other language, when it is not its own;
    "" when there is none.
    """
    visit = visit_of(request)
    other = LANGUAGES[1 - LANGUAGES.index(visit.language)]
    here = request.path if here is None else here
    joint = "&" if "?" in here else "?"
    shown = {
        "t": visit.words,
        "language": visit.language,
        "other_language_url": f"{here}{joint}lang={other}" if here else "",
        "clinic": visit.clinic
        or {"name": {"en": "Message center", "es": "Centro de mensajes"}[visit.language]},
        "signed_in": visit.session is not None,
        **context,
    }
    with translation.override(visit.language):
        response = render(request, f"portal/{template}", shown, status=status)
    if visit.switched:
        response.set_cookie(
            LANGUAGE_COOKIE,
            visit.switched,
            max_age=YEAR,
            samesite="Lax",
            secure=not settings.SALUS_LOOPBACK,
            httponly=True,
        )
    return response


def says(
    request: HttpRequest, key: str, *, status: int = 200, call: bool = True, here: str | None = None
) -> HttpResponse:
    """Return a page that says one thing, the words `<key>_title` and `<key>`, and whom to call."""
    visit = visit_of(request)
    return page(
        request,
        "says.html",
        status,
        here=here,
        heading=visit.words[f"{key}_title"],
        text=with_phone(request, key) if visit.clinic else visit.words.say(key, phone="", clinic=""),
        more=with_phone(request, "call_us") if call and visit.clinic else "",
    )


def with_phone(request: HttpRequest, key: str) -> SafeString:
    """Return the words for `key` with the clinic's number as something to tap."""
    visit = visit_of(request)
    assert visit.clinic is not None
    digits = "".join(each for each in visit.clinic.phone if each.isdigit() or each == "+")
    number = format_html('<a href="tel:{}">{}</a>', digits, visit.clinic.phone)
    return format_html(visit.words[key], phone=number, clinic=visit.clinic.name)


def for_link(view: View) -> View:
    """Let in whoever has a good link, inside the organization that its token names."""

    @wraps(view)
    def guarded(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponseBase:
        visit = request.visit = Visit(request)  # type: ignore[attr-defined]
        try:
            with acting_for(keys.organization_of_token(token)):
                visit.clinic = identity.organization()
                with timezone.override(ZoneInfo(visit.clinic.time_zone)):
                    return view(request, token=token, **kwargs)
        except (BadInput, NotFound):
            return says(request, "bad_link", status=404)

    return guarded


def for_patient(view: View) -> View:
    """Let in a patient with a living session, inside their organization."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        visit = request.visit = Visit(request)  # type: ignore[attr-defined]
        cookie = request.COOKIES.get(SESSION_COOKIE, "")
        try:
            with acting_for(keys.organization_of_token(cookie)):
                visit.clinic = identity.organization()
                visit.session = patients.session(cookie, clock=api.clock())
                if visit.session is not None:
                    with timezone.override(ZoneInfo(visit.clinic.time_zone)):
                        return view(request, **kwargs)
        except BadInput:
            visit.clinic = visit.session = None
        except NotFound:
            return says(request, "nothing", status=404)
        return says(request, "away", status=403)

    return guarded


def present_session(request: HttpRequest) -> PatientSession | None:
    """Return the living session of a visitor who came by a link, when it is of this organization."""
    cookie = request.COOKIES.get(SESSION_COOKIE, "")
    return patients.session(cookie, clock=api.clock()) if cookie else None


def keep_session(response: HttpResponse, cookie: str) -> None:
    """Give the visitor the cookie of a new session: for the portal's addresses only, gone with the browser."""
    response.set_cookie(
        SESSION_COOKIE,
        cookie,
        path=reverse("portal:home"),
        httponly=True,
        samesite="Lax",
        secure=not settings.SALUS_LOOPBACK,
    )


def drop_session(response: HttpResponse) -> None:
    """Take the cookie back."""
    response.delete_cookie(SESSION_COOKIE, path=reverse("portal:home"), samesite="Lax")


def see(name: str, **kwargs: Any) -> HttpResponse:
    """Return the way to another page after an act (303)."""
    response = HttpResponseRedirect(reverse(f"portal:{name}", kwargs=kwargs))
    response.status_code = 303
    return response


def day(request: HttpRequest, moment: datetime) -> str:
    """Return a day as the visitor's language writes it, in the clinic's time zone."""
    with translation.override(visit_of(request).language):
        return date_format(timezone.localtime(moment), visit_of(request).words.date_format)
