"""Pages of mail keys: those of a contact, of partners' domains, our own, and when they are used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salus.contacts import api as contacts
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.platform.web.templatetags.salus import contact_number
from salus.sealedmail import api
from salus.sealedmail.contracts import Found, KeyKind, OnFile, Revocation, Standing, Vouched
from salus.sealedmail.web.forms import (
    AnchorForm,
    CertificateForm,
    ChoicesForm,
    DomainKeyForm,
    KeyForm,
    ListForm,
    RevocationForm,
    RevokeForm,
    say,
)

READ, EDIT = Permission.SEALEDMAIL_KEY_READ, Permission.SEALEDMAIL_KEY_EDIT
SETTLE = Permission.ORGANIZATION_SETTINGS_EDIT
STANDINGS = {
    Standing.IN_USE: ("clear", "In use"),
    Standing.NOT_YET: ("wait", "Not valid yet"),
    Standing.EXPIRED: ("refuse", "Ended"),
    Standing.STALE: ("wait", "Not confirmed lately"),
    Standing.REVOKED: ("broke", "Revoked"),
    Standing.REPLACED: ("", "Replaced"),
}
VOUCHED = {
    Vouched.AUTHORITY: "An authority that you trust issued it",
    Vouched.FINGERPRINT: "Its fingerprint was compared with the holder’s word",
    Vouched.DOMAIN: "The directory of its domain hands it out",
}
REASONS = {
    Revocation.BY_HOLDER: "Its holder revoked it",
    Revocation.COMPROMISED: "Somebody else may have it",
    Revocation.LOST: "Its holder lost it",
    Revocation.WRONG_PERSON: "It is somebody else’s",
    Revocation.WITHDRAWN: "It was withdrawn",
    Revocation.UNTRUSTED: "Its authority is not trusted any more",
    Revocation.BY_AUTHORITY: "Its authority took it back",
}
LOOKED = {
    Found.KEPT: "a key was found",
    Found.SAME: "nothing new",
    Found.NONE: "their domain has no key for them",
    Found.UNFIT: "what their domain has cannot be used",
    Found.SILENT: "their domain did not answer",
}


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


@requires(READ)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show when keys are used, what we sign with, whom we trust, and the keys of partners' domains."""
    return _overview(request, None, None)


@requires(SETTLE)
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Say when keys are used."""
    form = ChoicesForm(request.POST)
    if not form.is_valid():
        return _overview(request, form, None)
    api.choose(form.choices_made(), actor=actor_of(request))
    return _back(request, "Saved.")


@requires(SETTLE)
@require_POST
def trust(request: HttpRequest) -> HttpResponse:
    """Trust an authority."""
    form = AnchorForm(request.POST)
    if form.is_valid() and _done(
        form,
        lambda: api.trust(
            form.cleaned_data["certificate"].encode(), actor=actor_of(request), at=timezone.now()
        ),
    ):
        return _back(request, "Trusted. Certificates that it issued need no fingerprint.")
    return _overview(request, None, form)


@requires(SETTLE)
@require_POST
def distrust(request: HttpRequest, anchor_id: UUID) -> HttpResponse:
    """Trust an authority no more."""
    ended = api.distrust(anchor_id, actor=actor_of(request), at=timezone.now())
    return _back(request, f"Trusted no more. {ended} {'key' if ended == 1 else 'keys'} ended by that.")


@requires(SETTLE)
@require_POST
def make(request: HttpRequest, kind: str) -> HttpResponse:
    """Make a key of our own."""
    do = {"smime": api.make_certificate, "openpgp": api.make_openpgp}.get(kind)
    if do is None:
        raise NotFound
    do(actor=actor_of(request), at=timezone.now())
    return _back(request, "Made. Mail that is encrypted is signed with it from now on.")


@requires(SETTLE)
@require_POST
def drop(request: HttpRequest, kind: str) -> HttpResponse:
    """Sign no more with what there is of a kind."""
    if kind not in set(KeyKind):
        raise NotFound
    api.drop_own(KeyKind(kind), actor=actor_of(request))
    return _back(request, "Removed. Mail of this kind is encrypted and not signed.")


@csrf_exempt  # the token is checked by the inner view, after our handler stands ready for the file
@requires(SETTLE)
@require_http_methods(["GET", "HEAD", "POST"])
def certificate(request: HttpRequest) -> HttpResponseBase:
    """Put our own certificate in place."""
    return _with_file(request, _certificate)


@csrf_protect
def _certificate(request: HttpRequest) -> HttpResponse:
    form = CertificateForm(*_given(request))

    def do() -> None:
        password = form.cleaned_data["password"]
        api.set_certificate(form.data_given(), password, actor=actor_of(request), at=timezone.now())

    if form.is_bound and form.is_valid() and _done(form, do):
        return _back(request, "In place. Encrypted mail is signed with it from now on.")
    return _page(request, "certificate", form)


@csrf_exempt
@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def revocations(request: HttpRequest) -> HttpResponseBase:
    """Hold an authority's revocation list against the certificates on file."""
    return _with_file(request, _revocations)


@csrf_protect
def _revocations(request: HttpRequest) -> HttpResponse:
    form = ListForm(*_given(request))
    ended: list[int] = []

    def do() -> None:
        ended.append(api.revoke_by_list(form.data_given(), actor=actor_of(request), at=timezone.now()))

    if form.is_bound and form.is_valid() and _done(form, do):
        [count] = ended
        return _back(
            request,
            f"{count} {'certificate' if count == 1 else 'certificates'} on file revoked."
            if count
            else "The list is its authority’s. No certificate on file is on it.",
        )
    return _page(request, "revocations", form)


@csrf_exempt
@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def new_for_domain(request: HttpRequest) -> HttpResponseBase:
    """Put the key of a partner's domain on file."""
    return _with_file(request, _new_for_domain)


@csrf_protect
def _new_for_domain(request: HttpRequest) -> HttpResponse:
    form = DomainKeyForm(*_given(request))

    def do() -> None:
        facts, at = form.cleaned_data, timezone.now()
        api.add_domain_key(
            facts["domain"],
            form.data_given(),
            fingerprint=facts["fingerprint"],
            actor=actor_of(request),
            at=at,
        )

    if form.is_bound and form.is_valid() and _done(form, do):
        return _back(request, "On file. Mail to this domain can be encrypted.")
    return _page(request, "new_domain", form)


@csrf_exempt
@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def new_for_contact(request: HttpRequest, contact_id: UUID) -> HttpResponseBase:
    """Put a person's key on file."""
    return _with_file(request, lambda asked: _new_for_contact(asked, contact_id))


@csrf_protect
def _new_for_contact(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    number = _number(contact_id)
    form = KeyForm(*_given(request))

    def do() -> None:
        fingerprint = form.cleaned_data["fingerprint"]
        data, at = form.data_given(), timezone.now()
        api.add_key(contact_id, data, fingerprint=fingerprint, actor=actor_of(request), at=at)

    if form.is_bound and form.is_valid() and _done(form, do):
        toast(request, "On file. Mail to this address can be encrypted.")
        return redirect("contacts:show", contact_id)
    return _page(request, "new_contact", form, contact_id=contact_id, number=number)


@requires(READ)
@require_http_methods(["GET", "HEAD", "POST"])
def key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Show one key; revoke it, with a reason or by its holder's revocation."""
    found = api.key(key_id, timezone.now())
    may = EDIT in actor_of(request).permissions
    if request.method == "POST" and not may:
        raise NotFound
    by_holder = "revocation" in request.POST
    why = RevokeForm(request.POST if request.method == "POST" and not by_holder else None)
    signed = RevocationForm(request.POST if by_holder else None)
    at = timezone.now()
    if why.is_bound and why.is_valid():
        reason = Revocation(why.cleaned_data["why"])
        if _done(why, lambda: api.revoke(key_id, reason, actor=actor_of(request), at=at)):
            return _after_revoking(request, found)
    if signed.is_bound and signed.is_valid():
        data = signed.cleaned_data["revocation"].encode()
        if _done(signed, lambda: api.revoke_by_holder(key_id, data, actor=actor_of(request), at=at)):
            return _after_revoking(request, found)
    context = {
        "row": _row(found),
        "number": _number(found.contact_id) if found.contact_id else "",
        "why_form": why,
        "signed_form": signed if found.kind is KeyKind.OPENPGP else None,
        "may_end": may and found.standing not in {Standing.REVOKED, Standing.REPLACED},
    }
    status = 400 if why.errors or signed.errors else 200
    return render(request, "sealedmail/key.html", context, status=status)


@requires(EDIT)
@require_POST
def look_up(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Ask the directory of a person's domain, soon."""
    _number(contact_id)
    api.ask_directory(contact_id)
    toast(request, "Asked. What comes of it stands here in a moment.")
    response = redirect("contacts:show", contact_id)
    response.status_code = 303
    return response


def keys_panel(request: HttpRequest, contact_id: UUID) -> SafeString | None:
    """Return the panel of a contact's page, for those who may see keys."""
    if READ not in actor_of(request).permissions:
        return None
    filed = api.filed(contact_id, timezone.now())
    context = {
        "contact_id": contact_id,
        "rows": [_row(each) for each in filed.keys],
        "may_edit": EDIT in actor_of(request).permissions,
        "may_look_up": filed.look_up,
        "looked": filed.looked,
        "brought": LOOKED[filed.looked.found] if filed.looked else "",
    }
    return render_to_string("sealedmail/panel.html", context, request)


def _overview(request: HttpRequest, chosen: ChoicesForm | None, trusted: AnchorForm | None) -> HttpResponse:
    at, present = timezone.now(), api.choices()
    own = {each.kind: each for each in api.own()}
    initial = {"use": present.use.value, "look_up": present.look_up}
    context = {
        "choices": present,
        "choices_form": chosen or ChoicesForm(initial=initial),
        "anchor_form": trusted or AnchorForm(),
        "own": [
            (kind, own.get(kind), _ends(own[kind].not_after, at) if kind in own else None) for kind in KeyKind
        ],
        "anchors": api.anchors(),
        "domains": [_row(each) for each in api.keys_of_domains(at)],
        "may_settle": SETTLE in actor_of(request).permissions,
        "may_edit": EDIT in actor_of(request).permissions,
    }
    return render(request, "sealedmail/overview.html", context, status=400 if chosen or trusted else 200)


def _ends(not_after: datetime | None, at: datetime) -> tuple[str, str] | None:
    if not_after is None or not_after - at > api.SOON:
        return None
    return ("broke", "Ended") if not_after <= at else ("wait", "Ends soon")


def _row(found: OnFile) -> dict[str, Any]:
    fingerprint = found.fingerprint.reveal()
    return {
        "key": found,
        "tag": STANDINGS[found.standing],
        "vouched": VOUCHED[found.vouched],
        "why": REASONS[found.why] if found.why else "",
        "fingerprint": " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4)).upper(),
        "soon": _ends(found.not_after, timezone.now()) if found.standing is Standing.IN_USE else None,
    }


def _number(contact_id: UUID) -> str:
    number = contacts.numbers_of([contact_id]).get(contact_id)
    if number is None:
        raise NotFound
    return contact_number(number)


def _done(form: forms.Form, act: Callable[[], Any]) -> bool:
    """Do `act`; say on the form what stood in the way, and return whether nothing did."""
    try:
        with transaction.atomic():
            act()
    except (BadInput, Conflict) as fault:
        say(form, fault)
        return False
    return True


def _given(request: HttpRequest) -> tuple[Any, Any]:
    """Return what was posted, None twice for a look."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _with_file(request: HttpRequest, view: Callable[[HttpRequest], HttpResponse]) -> HttpResponseBase:
    """Let a small file be read in memory: nothing of a key is ever written to disk."""
    request.upload_handlers = [MemoryFileUploadHandler(request)]
    return view(request)


def _page(request: HttpRequest, name: str, form: forms.Form, **context: Any) -> HttpResponse:
    status = 400 if form.errors else 200
    return render(request, f"sealedmail/{name}.html", {"form": form, **context}, status=status)


def _after_revoking(request: HttpRequest, found: OnFile) -> HttpResponse:
    toast(request, "Revoked. Nothing is encrypted to it from now on; mail that waits takes another way.")
    if found.contact_id:
        return redirect("contacts:show", found.contact_id)
    return redirect("sealedmail:overview")


def _back(request: HttpRequest, said: str) -> HttpResponse:
    toast(request, said)
    response = redirect("sealedmail:overview")
    response.status_code = 303
    return response
