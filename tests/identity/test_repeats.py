"""A call that is made again with its `Idempotency-Key`: done once, answered the same, and nobody else's affair."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import clear_url_caches, path
from ninja import NinjaAPI, Status

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import api as identity
from salus.identity import repeats
from salus.identity.contracts import Idempotency, Organization, Permission
from salus.identity.models import AnswerRow, ApiKey, RoleRow
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.platform.tenancy import acting_for
from salus.wiring.person import PACKAGES
from salus.wiring.rounds import ROUNDS

IMPORT = Permission.CONTACTS_IMPORT_RUN
CANARY = "Zephyrine"
rest = NinjaAPI(urls_namespace="repeats-test", docs_url=None, openapi_url=None)
identity.use_problems(rest)


@dataclass
class Held:
    """Lets a call be in the middle of its work for as long as a test wants."""

    begun: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


HELD = Held()


def made() -> int:
    """Do something that can be counted."""
    RoleRow.objects.create(name=new_id().hex, wanted=[], granted=[], created_at="2026-01-01T00:00Z")
    return RoleRow.objects.count()


@rest.post("/make", response={201: dict[str, Any]}, auth=identity.api_key_auth(IMPORT))
def make(request: HttpRequest, response: HttpResponse, how: str = "well") -> Status[dict[str, Any]]:
    count = made()
    if how == "held":
        HELD.begun.set()
        assert HELD.go_on.wait(30)
    for word, fault in (
        ("bad", BadInput("no")),
        ("lost", NotFound()),
        ("not now", Conflict("no")),
        ("broken", KeyError()),
    ):
        if how == word:
            raise fault
    response["Location"] = f"/made/{count}"
    return Status(201, {"count": count, "name": CANARY})


@rest.put("/make", auth=identity.api_key_auth(IMPORT))
def make_otherwise(request: HttpRequest) -> dict[str, int]:
    return {"count": made()}


@rest.post("/partly", response={200: dict[str, int], 207: dict[str, int]}, auth=identity.api_key_auth(IMPORT))
def partly(request: HttpRequest) -> Status[dict[str, int]]:
    count = made()
    return Status(207 if count == 1 else 200, {"count": count})


@rest.post("/needs", auth=identity.api_key_auth(IMPORT, idempotency=Idempotency.REQUIRED))
def needs(request: HttpRequest) -> dict[str, int]:
    return {"count": made()}


@rest.post("/reads", auth=identity.api_key_auth(IMPORT, idempotency=Idempotency.READS))
def reads(request: HttpRequest) -> dict[str, int]:
    return {"count": made()}


@rest.post("/upload", auth=identity.api_key_auth(IMPORT))
def upload(request: HttpRequest) -> dict[str, int]:
    size = 0
    while piece := request.read(64 * 1024):
        size += len(piece)
    return {"size": size, "count": made()}


urlpatterns = [path("api/", rest.urls)]


@pytest.fixture(autouse=True)
def mounted(settings: Any) -> Iterator[None]:
    """Serve this module's addresses."""
    settings.ROOT_URLCONF = sys.modules[__name__]
    clear_url_caches()
    yield
    clear_url_caches()


@pytest.fixture
def clinic(make_clinic: Callable[..., Organization], clock: FakeClock) -> Organization:
    HELD.begun.clear()
    HELD.go_on.clear()
    return make_clinic(demo=False)


def raw_key(clinic: Organization, *scopes: Permission) -> str:
    with acting_for(clinic.id):
        return identity.create_api_key(
            "Health record", scopes or [IMPORT], actor=system(clinic.id, "test"), allowed=Permission
        )


def program(raw: str) -> Client:
    return Client(
        headers={"host": "localhost", "authorization": f"Bearer {raw}"}, raise_request_exception=False
    )


@pytest.fixture
def client(clinic: Organization) -> Client:
    return program(raw_key(clinic))


def call(
    client: Client, key: str | None, address: str = "/api/make", body: bytes = b"{}", method: str = "POST"
) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.generic(method, address, body, content_type="application/json", headers=headers)


def done(clinic: Organization) -> int:
    with acting_for(clinic.id):
        return RoleRow.objects.count()


def test_the_same_call_is_done_once_and_answered_the_same(clinic: Organization, client: Client) -> None:
    first, again = call(client, "monday"), call(client, "monday")
    assert (first.status_code, first.json()["count"]) == (201, 1)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    for name in ("Content-Type", "Location"):
        assert again.headers[name] == first.headers[name]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert call(client, "tuesday").json()["count"] == 2
    assert call(client, None).json()["count"] == 3
    with acting_for(clinic.id):
        told = [entry.details for entry in audit.entries(Filters(action=Action.API_KEY_USE))]
    assert [each.get("again") for each in told] == [None, None, 1, None]
    assert {each["status"] for each in told} == {201}


@pytest.mark.parametrize(
    "other",
    [
        {"body": b"{ }"},
        {"body": b"[]"},
        {"body": b""},
        {"address": "/api/make?how=quickly"},
        {"address": "/api/needs"},
        {"method": "PUT"},
    ],
)
def test_the_key_for_another_call_is_refused(
    clinic: Organization, client: Client, other: dict[str, Any]
) -> None:
    first = call(client, "monday")
    refused = call(client, "monday", **other)
    assert (refused.status_code, refused.json()["place"]) == (422, "Idempotency-Key")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert CANARY not in refused.text
    assert done(clinic) == 1
    assert call(client, "monday").content == first.content


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "x" * 256, "ñ", "\x7f", "a\x00"])
def test_a_key_that_is_none_is_refused(clinic: Organization, client: Client, key: str) -> None:
    refused = call(client, key)
    assert (refused.status_code, refused.json()["place"]) == (400, "Idempotency-Key")
    assert done(clinic) == 0


@pytest.mark.parametrize("key", ["x", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "!~"])
def test_any_visible_word_is_a_key(client: Client, key: str) -> None:
    assert [call(client, key).json()["count"] for _ in range(2)] == [1, 1]


def test_where_a_key_is_needed_its_absence_is_said(clinic: Organization, client: Client) -> None:
    refused = call(client, None, "/api/needs")
    assert (refused.status_code, refused.json()["place"]) == (400, "Idempotency-Key")
    assert done(clinic) == 0
    assert [call(client, "now", "/api/needs").json()["count"] for _ in range(2)] == [1, 1]


@pytest.mark.parametrize(("how", "status"), [("bad", 400), ("lost", 404), ("not now", 409), ("broken", 500)])
def test_a_call_that_was_refused_leaves_nothing_and_its_key_is_free(
    clinic: Organization, client: Client, how: str, status: int
) -> None:
    for _ in range(2):
        assert call(client, "monday", f"/api/make?how={how}").status_code == status
    assert done(clinic) == 0
    assert call(client, "monday").json()["count"] == 1


def test_what_was_taken_in_part_is_told_again_until_all_is_taken(client: Client) -> None:
    answers = [call(client, "monday", "/api/partly") for _ in range(3)]
    assert [(each.status_code, each.json()["count"]) for each in answers] == [(207, 1), (200, 2), (200, 2)]


def test_what_only_reads_is_answered_anew(client: Client) -> None:
    assert [call(client, "monday", "/api/reads").json()["count"] for _ in range(2)] == [1, 2]
    assert call(client, "a b", "/api/reads").status_code == 200


def in_thread(client: Client, *given: Any) -> Any:
    try:
        return call(client, *given)
    finally:
        connections.close_all()


def test_while_the_first_is_answered_the_same_is_asked_to_wait(clinic: Organization, client: Client) -> None:
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(in_thread, client, "monday", "/api/make?how=held")
        assert HELD.begun.wait(30)
        meanwhile = call(client, "monday", "/api/make?how=held")
        other = call(client, "tuesday")
        HELD.go_on.set()
        answer = first.result(30)
    assert (meanwhile.status_code, meanwhile.json()["place"]) == (409, "Idempotency-Key")
    assert "still being answered" in meanwhile.json()["detail"]
    assert (answer.status_code, other.status_code) == (201, 201)
    assert call(client, "monday", "/api/make?how=held").content == answer.content
    assert done(clinic) == 2


def test_of_many_at_the_same_moment_one_is_done(clinic: Organization, client: Client) -> None:
    start = threading.Barrier(8)

    def hurry(_: int) -> Any:
        start.wait(30)
        return in_thread(client, "monday")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(hurry, range(8)))
    assert {each.status_code for each in answers} <= {201, 409}
    good = {each.content for each in answers if each.status_code == 201}
    assert good == {call(client, "monday").content}
    assert done(clinic) == 1


def test_the_same_word_of_another_key_or_organization_is_another_call(
    clinic: Organization, client: Client, make_clinic: Callable[..., Organization]
) -> None:
    call(client, "monday")
    assert call(program(raw_key(clinic)), "monday").json()["count"] == 2
    elsewhere = make_clinic("Elsewhere", demo=False)
    theirs = call(program(raw_key(elsewhere)), "monday")
    assert (theirs.status_code, theirs.json()["count"]) == (201, 1)
    assert "Idempotent-Replayed" not in theirs.headers
    with acting_for(elsewhere.id), connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT organization_id FROM identity_answer")
        assert cursor.fetchall() == [(elsewhere.id,)]


def test_a_key_that_was_revoked_gets_no_answer_of_before(clinic: Organization, client: Client) -> None:
    assert call(client, "monday").status_code == 201
    with acting_for(clinic.id):
        identity.revoke_api_key(ApiKey.objects.get().pk, actor=system(clinic.id, "test"))
    assert call(client, "monday").status_code == 401


def test_without_the_scope_no_key_is_looked_at(clinic: Organization) -> None:
    reader = program(raw_key(clinic, Permission.AUDIT_LOG_READ))
    assert {call(reader, key).status_code for key in ("monday", "a b")} == {404}


def test_nothing_of_a_call_or_its_answer_is_in_the_table_in_clear(
    clinic: Organization, client: Client, world: Any
) -> None:
    assert CANARY in call(client, f"{CANARY}-key", body=b'{"name": "%s"}' % CANARY.encode()).text
    with psycopg.connect(world.superuser_dsn) as thief:
        rows = thief.execute(
            "SELECT * FROM identity_answer WHERE organization_id = %s", [clinic.id]
        ).fetchall()
    assert len(rows) == 1
    kept = b" ".join(each if isinstance(each, bytes) else str(each).encode() for each in rows[0])
    assert CANARY.encode() not in kept
    assert b"made" not in kept


def test_after_a_day_an_answer_is_gone_and_the_word_is_free(
    clinic: Organization, client: Client, clock: FakeClock
) -> None:
    call(client, "monday")
    clock.advance(timedelta(hours=23, minutes=59))
    assert call(client, "monday").json()["count"] == 1
    clock.advance(timedelta(minutes=1))
    assert call(client, "monday").json()["count"] == 2
    assert call(client, "monday").json()["count"] == 2
    with acting_for(clinic.id):
        clock.advance(timedelta(hours=23))
        identity.forget_answers(clock.now())
        next(each for each in ROUNDS if each.name == "identity-answers").act(clinic.id)
        assert AnswerRow.objects.count() == 1
        clock.advance(timedelta(hours=1))
        identity.forget_answers(clock.now())
        assert AnswerRow.objects.count() == 0


def test_an_erasure_takes_what_answers_say_and_leaves_that_they_were_given(
    clinic: Organization, client: Client, clock: FakeClock
) -> None:
    call(client, "monday")
    (package,) = [each for each in PACKAGES if each.name == "identity"]
    with acting_for(clinic.id):
        left = [package.erase(UUID(int=1), system(clinic.id, "test"), clock) for _ in range(2)]
        assert [each.erased for each in left] == [{"answers": 1}, {"answers": 0}]
        assert AnswerRow.objects.get().sealed is None
    again = call(client, "monday")
    assert (again.status_code, CANARY in again.text) == (409, False)
    assert "was done" in again.json()["detail"]
    assert call(client, "monday", body=b"[]").status_code == 422
    assert done(clinic) == 1


def test_an_answer_that_cannot_be_kept_undoes_the_call(
    clinic: Organization, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(repeats, "_binding", lambda row: 1 / 0)
        assert call(client, "monday").status_code == 500
    assert done(clinic) == 0
    assert call(client, "monday").json()["count"] == 1


def test_a_large_body_is_known_by_its_last_byte_and_never_held(client: Client) -> None:
    body = bytes(5_000_000)
    first = call(client, "film", "/api/upload", body)
    assert first.json() == {"size": 5_000_000, "count": 1}
    assert call(client, "film", "/api/upload", body).json() == first.json()
    for other in (body[:-1] + b"x", body + b"x", body[:-1]):
        assert call(client, "film", "/api/upload", other).status_code == 422


def test_a_body_that_nobody_reads_is_compared_all_the_same(client: Client) -> None:
    assert call(client, "a", body=b"x" * 200_000).json()["count"] == 1
    assert call(client, "a", body=b"x" * 199_999 + b"y").status_code == 422
    assert call(client, "a", body=b"x" * 200_000).json()["count"] == 1


def test_another_length_is_another_call_before_a_byte_is_read(clinic: Organization, client: Client) -> None:
    call(client, "monday")
    raw = client.defaults["HTTP_AUTHORIZATION"]
    assert _by_wsgi(raw, "monday", length=10**12, body=_Unread()).startswith("422")
    assert done(clinic) == 1


@pytest.mark.parametrize("address", ["/api/upload", "/api/make"])
def test_a_body_that_breaks_off_is_no_call(clinic: Organization, client: Client, address: str) -> None:
    raw = client.defaults["HTTP_AUTHORIZATION"]
    assert not _by_wsgi(raw, "monday", length=10, body=io.BytesIO(b"12345"), address=address).startswith("2")
    assert done(clinic) == 0
    assert call(client, "monday", address, b"1234567890").json()["count"] == 1


class _Unread(io.BytesIO):
    def read(self, *_: Any) -> bytes:
        raise AssertionError("nobody needs to read this")


def _by_wsgi(raw: str, key: str, *, length: int, body: io.BytesIO, address: str = "/api/make") -> str:
    """Make a call that says a length of its own; return the status line."""
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": address,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_AUTHORIZATION": raw,
        "HTTP_IDEMPOTENCY_KEY": key,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(length),
        "wsgi.input": body,
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
    }

    def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        said.append(status)
        return lambda _: None

    get_wsgi_application()(environ, start)
    return said[0]
