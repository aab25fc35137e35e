"""Pages of conversations: which wait, one of them with its files, an answer, and a letter of one's own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salus.contacts import api as contacts
from salus.delivery.contracts import State
from salus.files import api as files
from salus.gate import api as gate
from salus.identity import api as identity
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.inbox import api
from salus.inbox.contracts import Conversation, NewLetter, Side, Written
from salus.inbox.web.forms import LetterForm
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound, Reused
from salus.kernel.vocabulary import Special
from salus.platform.web.given import id_given

PAGE = 50
P = Permission
STATES = {
    State.CLEARED: ("wait", "On its way to the portal"),
    State.LEASED: ("wait", "On its way to the portal"),
    State.DEFERRED: ("wait", "On its way to the portal"),
    State.PORTAL: ("portal", "Waits in the portal, not opened"),
    State.PORTAL_UNNOTIFIED: ("wait", "Waits in the portal; no notice reached them: call"),
    State.OPENED: ("clear", "Opened"),
    State.EXPIRED: ("", "Expired"),
    State.RECALLED: ("refuse", "Recalled"),
    State.CANCELLED: ("refuse", "Stopped before it got there"),
}
"""How a letter's state is shown: the kind of its tag, and its words."""
FIELDS = {each: each for each in ("subject", "text", "tells", "days")} | {
    "files": "attachments",
    "file": "attachments",
}
"""The field of the form at which a fault of a place is shown."""


@requires(P.INBOX_CONVERSATION_READ)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show who waits for an answer, the longest first; or all conversations, the newest first."""
    everything = "all" in request.GET
    after = id_given(request.GET.get("after", ""))
    found = api.conversations(waiting=not everything, after=after, limit=PAGE + 1)
    shown, query = found[:PAGE], "all=1" if everything else ""
    numbers = contacts.numbers_of([each.contact_id for each in shown])
    context = {
        "rows": [{"talk": each, "number": numbers.get(each.contact_id)} for each in shown],
        "all": everything,
        "first_url": f"?{query}" if after else "",
        "next_url": f"?{query}{'&' if query else ''}after={shown[-1].id}" if len(found) > PAGE else "",
    }
    return render(request, "inbox/conversations.html", context)


@requires(P.INBOX_CONVERSATION_READ)
@require_safe
def one(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Show what was said; that the person looked is recorded."""
    return _show(request, api.conversation(conversation_id, actor=_actor(request)), LetterForm())


@csrf_exempt  # the token is checked by the inner view, after our handler stands ready for the files
@requires(P.INBOX_LETTER_WRITE)
@require_POST
def answer(request: HttpRequest, conversation_id: UUID) -> HttpResponseBase:
    """Answer a patient, with files."""
    talk = api.conversation(conversation_id, actor=_actor(request))
    taking = _taking(request, talk.contact_id)

    def again(form: LetterForm, status: int) -> HttpResponse:
        return _show(request, talk, form, status=status)

    return _written(request, taking, talk.contact_id, talk, again)


@csrf_exempt  # as above
@requires(P.INBOX_LETTER_WRITE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, contact_id: UUID) -> HttpResponseBase:
    """Write to a patient."""
    number = contacts.numbers_of([contact_id]).get(contact_id)
    if number is None:
        raise NotFound

    def page(form: LetterForm, status: int) -> HttpResponse:
        context = {"form": form, "number": number, "contact_id": contact_id, **_limits()}
        return render(request, "inbox/letter.html", context, status=status)

    if request.method != "POST":
        return page(LetterForm(), 200)
    return _written(request, _taking(request, contact_id), contact_id, None, page)


@requires(P.INBOX_LETTER_WRITE)
@require_POST
def settle(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Say that no answer is needed."""
    api.settle(conversation_id, actor=_actor(request), at=timezone.now())
    toast(request, "Settled. It waits no more.")
    return redirect("inbox:conversations")


@requires(P.INBOX_CONVERSATION_READ)
@require_safe
def file(request: HttpRequest, conversation_id: UUID, file_id: UUID) -> HttpResponseBase:
    """Give a file of a conversation out as a download; the look is recorded."""
    facts = api.file_of(conversation_id, file_id)
    return files.download(*files.read(facts.id, facts.owner, actor=_actor(request)))


def letter_panel(request: HttpRequest, contact_id: UUID) -> SafeString | None:
    """Return the panel of a contact's page that leads to a letter, for those who may write one."""
    if P.INBOX_LETTER_WRITE not in _actor(request).permissions:
        return None
    return render_to_string("inbox/panel.html", {"contact_id": contact_id}, request)


def _taking(request: HttpRequest, contact_id: UUID) -> files.Attaching:
    """Stand ready for the files of a form, under the person who is signed in."""
    actor = _actor(request)
    assert actor.id is not None
    taking = files.Attaching(request, contact_id, draft_id=actor.id, actor=actor, clock=timezone.now)
    request.upload_handlers = [taking]
    return taking


def _written(
    request: HttpRequest, taking: files.Attaching, contact_id: UUID, talk: Conversation | None, again: Any
) -> HttpResponseBase:
    """Write the letter of a form; whatever is in the way is said beside what was typed, and no file is kept."""
    if taking.is_too_much:
        form = LetterForm({})
        form.add_error("attachments", "These files are too large together. Nothing was sent.")
        form.renew()
        return again(form, 413)  # type: ignore[no-any-return]
    checked: HttpResponse | None = csrf_protect(_nothing)(request)
    if checked is not None:
        taking.undo()
        return checked
    form = LetterForm(request.POST)
    if taking.refused is not None:
        form.add_error("attachments", taking.refused.what)
    if form.is_valid():
        fault = _send(request, form, taking, contact_id, talk)
        if isinstance(fault, Written):
            toast(request, "It is on its way to the portal. A notice without any words of it goes by mail.")
            return redirect("inbox:conversation", fault.conversation_id)
        form.add_error(*fault)
    taking.undo()
    if taking.ids:
        form.add_error("attachments", "Choose the files again, please.")
    form.renew()
    return again(form, 422)  # type: ignore[no-any-return]


def _nothing(request: HttpRequest) -> None:
    """Answer nothing: the check before it does, when a token is missing."""


def _send(
    request: HttpRequest,
    form: LetterForm,
    taking: files.Attaching,
    contact_id: UUID,
    talk: Conversation | None,
) -> Written | tuple[str | None, str]:
    """Return what was written, or the field and the words of what is in the way."""
    actor, given = _actor(request), form.cleaned_data
    letter = NewLetter(
        contact_id=contact_id,
        subject=given["subject"],
        text=given["text"],
        tells=frozenset(map(Special, given["tells"])),
        files=taking.ids,
        draft_id=actor.id,
        view_only=given["view_only"],
        days=given["days"],
        conversation_id=talk.id if talk else None,
        key=given["once"],
    )
    try:
        written = api.write(letter, actor=actor, at=timezone.now())
    except BadInput as fault:
        return FIELDS.get(fault.place), fault.what
    except Reused:
        return None, "This form was sent already, with other words. Send it again if these are to go as well."
    if written.reason:
        told = gate.explain(written.reason)
        return None, f"The gate does not let it go. {told.sentence} {told.next_step}"
    return written


def _show(request: HttpRequest, talk: Conversation, form: LetterForm, *, status: int = 200) -> HttpResponse:
    actor = _actor(request)
    names = identity.staff_names([each.by for each in talk.said if each.by])
    rows = [
        {
            "said": each,
            "mine": each.side is Side.STAFF,
            "name": names.get(each.by, "A program") if each.by else "",
            "tag": STATES.get(each.letter.state, ("", each.letter.state.value)) if each.letter else None,
            "recallable": each.letter is not None
            and each.letter.state in {State.PORTAL, State.PORTAL_UNNOTIFIED, State.OPENED},
        }
        for each in talk.said
    ]
    context = {
        "talk": talk,
        "rows": rows,
        "form": form,
        "number": contacts.numbers_of([talk.contact_id]).get(talk.contact_id),
        "contact_link": P.CONTACTS_RECORD_READ in actor.permissions,
        "may_write": P.INBOX_LETTER_WRITE in actor.permissions,
        "may_recall": P.DELIVERY_MESSAGE_RECALL in actor.permissions,
        "may_see_receipt": P.DELIVERY_RECEIPT_READ in actor.permissions,
        **_limits(),
    }
    return render(request, "inbox/conversation.html", context, status=status)


def _limits() -> dict[str, object]:
    return {"most_files": files.MOST, "largest_mb": files.LARGEST // (1024 * 1024)}


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
