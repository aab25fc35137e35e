"""A call with an `Idempotency-Key` is done once: made again within a day, it is answered as it was the first time."""

from __future__ import annotations

import hmac
import re
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

from salus.identity.models import AnswerRow
from salus.identity.ports import now
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, Reused
from salus.keys import api as keys

HEADER = "Idempotency-Key"
REPEATED = "Idempotent-Replayed"
"""The header of an answer that was given before."""
LONGEST = 255
KEPT_FOR = timedelta(hours=24)
PARTLY = 207
"""Some of what was told was refused: the rest may be told again under the same key, until all of it is taken."""
PATTERN = rf"^[!-~]{{1,{LONGEST}}}$"
_KEPT_HEADERS = ("Content-Type", "Location")
_PIECE = 64 * 1024


class Answered(Exception):
    """The call was made before: `response` is how it was answered, and all that is to be said now."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response
        super().__init__("answered before")


class _Call:
    """One call that is being made: its key, and the fingerprint of all that it says, whoever reads its body.

    Stands where Django has the body's stream, so that a body is hashed as it is read and never held for that.
    """

    def __init__(self, request: HttpRequest, api_key_id: UUID, digest: bytes) -> None:
        self.api_key_id, self.digest = api_key_id, digest
        self.size = self._left = _length(request)
        self._hash = salted_hmac(
            "salus.identity.repeats.call", f"{request.method} {request.get_full_path()}\n", algorithm="sha256"
        )
        self._stream = request._stream  # noqa: SLF001 - there is no other way in
        request._stream = self  # type: ignore[assignment]  # noqa: SLF001

    def read(self, size: int = -1, /) -> bytes:
        """Return what comes next of the body; raises `BadInput` when it ends before its time."""
        piece = self._stream.read(size)
        if not piece and size and self._left > 0:
            raise BadInput("ended before its Content-Length", place="body")
        self._hash.update(piece)
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Leave the stream open: what a view did not read is still to be hashed."""

    def fingerprint(self) -> bytes:
        """Return the fingerprint, after reading what nobody has read."""
        while self._left > 0:
            self.read(_PIECE)
        return self._hash.digest()


def claim(request: HttpRequest, actor: Actor, *, required: bool) -> None:
    """Note that this call is to be done once, if it has an `Idempotency-Key`; `keep` ends what begins here.

    Call it in the transaction of the call. Raises `Answered` when the same was done before, `Reused` when the key
    was for something else, `Conflict` while the first is being answered or when its answer is gone, `BadInput`
    for a key that is none, or is missing and `required`.
    """
    key = request.headers.get(HEADER)
    if key is None:
        if required:
            raise BadInput("is needed here: a word of your own for this call", place=HEADER)
        return
    if not re.fullmatch(PATTERN, key):
        raise BadInput(f"is not 1 to {LONGEST} visible ASCII characters", place=HEADER)
    assert actor.id is not None
    digest = salted_hmac("salus.identity.repeats.key", key, algorithm="sha256").digest()
    alone = _alone(actor, digest)
    row = AnswerRow.objects.filter(api_key_id=actor.id, digest=digest).first()
    if row is not None and row.answered_at > now() - KEPT_FOR:
        raise Answered(_answer(row, _Call(request, actor.id, digest)))
    if not alone:
        raise Conflict(
            "The first call with this key is still being answered.",
            place=HEADER,
            next_step="Make the same call again in a moment.",
        )
    if row is not None:
        row.delete()
    request.call_once = _Call(request, actor.id, digest)  # type: ignore[attr-defined]


def keep(request: HttpRequest, response: HttpResponseBase) -> None:
    """Keep the answer to a call that was claimed, in the same transaction, for `KEPT_FOR`.

    Only what is done and final is kept: an answer of 400 or more undoes the call, so it may be made again.
    """
    call: _Call | None = getattr(request, "call_once", None)
    if call is None or not 200 <= response.status_code < 300 or response.status_code == PARTLY:
        return
    row = AnswerRow(
        api_key_id=call.api_key_id,
        digest=call.digest,
        fingerprint=call.fingerprint(),
        size=call.size,
        status=response.status_code,
        answered_at=now(),
    )
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    body = cast("HttpResponse", response).content.decode()
    row.sealed = keys.sealer().seal(orjson.dumps([headers, body]), _binding(row))
    row.save(force_insert=True)


def forget(at: datetime) -> int:
    """Remove the answers of the current organization whose time is over; return how many."""
    return int(AnswerRow.objects.filter(answered_at__lte=at - KEPT_FOR).delete()[0])


def forget_words() -> int:
    """Remove what the organization's answers say, because a person in them is erased; return how many.

    That the calls were done is still known, so nothing is done twice.
    """
    return AnswerRow.objects.exclude(sealed=None).update(sealed=None)


def _answer(row: AnswerRow, call: _Call) -> HttpResponse:
    if row.size != call.size or not hmac.compare_digest(bytes(row.fingerprint), call.fingerprint()):
        raise Reused(
            "This key was used for another call.", place=HEADER, next_step="Give each call a key of its own."
        )
    if row.sealed is None:
        raise Conflict(
            "This call was done, but its answer is not kept any more: a person was erased since.",
            place=HEADER,
            next_step="Ask for what is there now.",
        )
    headers, body = orjson.loads(keys.sealer().open(bytes(row.sealed), _binding(row)))
    return HttpResponse(body, status=row.status, headers={**headers, REPEATED: "true"})


def _alone(actor: Actor, digest: bytes) -> bool:
    """Return whether nobody else is at this call; nobody will be until the transaction ends."""
    lock = salted_hmac(
        "salus.identity.repeats.lock", f"{actor.organization_id}{actor.id}{digest.hex()}", algorithm="sha256"
    ).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(lock[:8], "big", signed=True)])
        return bool(cursor.fetchone()[0])


def _binding(row: AnswerRow) -> bytes:
    return keys.binding(row.organization_id, "identity_answer", row.id)


def _length(request: HttpRequest) -> int:
    """Return the length of a body as Django reads it: of one that does not say its length, nothing is read."""
    try:
        return max(0, int(request.META.get("CONTENT_LENGTH") or 0))
    except ValueError:
        return 0
