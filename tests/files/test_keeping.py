"""Files are sealed in pieces bound to their file and place, belong to one message, and are erased for good."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from salus.files import api, leaving, rules
from salus.files.contracts import FileFacts, FileRefused, Of, Owner, Why
from salus.files.models import FileRow, PieceRow
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, NotFound, Unavailable
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for

from ..conftest import World
from .samples import JPEG, PDF, PNG, TEXT

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LARGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4096 * 2


def take(
    actor: Actor, data: bytes = PNG, *, contact: UUID | None = None, draft: UUID | None = None
) -> FileFacts:
    pieces = (data[start : start + 65536] for start in range(0, len(data), 65536))
    return api.take(contact or new_id(), "scan.png", pieces, draft_id=draft or new_id(), actor=actor, at=AT)


def attached(actor: Actor, data: bytes = PNG) -> FileFacts:
    draft, owner = take(actor, data), Owner(Of.MESSAGE, new_id())
    [facts] = api.attach([draft.id], owner, contact_id=draft.contact_id, draft_id=draft.owner.id)
    return facts


def whole(facts: FileFacts, actor: Actor) -> bytes:
    _, pieces = api.read(facts.id, facts.owner, actor=actor)
    return b"".join(pieces)


@pytest.mark.parametrize("data", [PNG, PDF, TEXT, LARGE, b"a" * rules.HEAD, b"x"])
def test_what_comes_out_is_what_went_in(tenant: UUID, actor: Actor, data: bytes) -> None:
    facts = attached(actor, data)
    assert facts.size == len(data)
    assert whole(facts, actor) == data


def test_no_name_and_no_bytes_are_in_clear(world: World, organization: UUID) -> None:
    with acting_for(organization):
        actor = system(organization, "test")
        pieces = [PNG, b"CANARY-7731"]
        facts = api.take(new_id(), "hiv-CANARY-7731.png", pieces, draft_id=new_id(), actor=actor, at=AT)
    with psycopg.connect(world.superuser_dsn) as connection:
        for table in ("files_file", "files_piece"):
            found = connection.execute(f"SELECT t::text FROM {table} t").fetchall()
            assert "CANARY" not in str(found)
            assert b"CANARY".hex() not in str(found)
    assert "CANARY" not in repr(facts)


def test_pieces_that_were_swapped_changed_or_lost_do_not_open(tenant: UUID, actor: Actor) -> None:
    facts, other = attached(actor, LARGE), attached(actor, LARGE)
    first, second = PieceRow.objects.filter(file_id=facts.id).order_by("place")[:2]
    foreign = PieceRow.objects.get(file_id=other.id, place=0)
    for place, sealed in ((0, second.sealed), (0, foreign.sealed), (0, bytes(first.sealed)[:-1] + b"\0")):
        PieceRow.objects.filter(file_id=facts.id, place=place).update(sealed=bytes(sealed))
        with pytest.raises(BadInput):
            whole(facts, actor)
    PieceRow.objects.filter(file_id=facts.id, place=0).update(sealed=bytes(first.sealed))
    PieceRow.objects.filter(file_id=facts.id, place=7).delete()
    with pytest.raises(Unavailable):
        whole(facts, actor)


def test_a_file_that_is_given_to_another_in_the_database_is_not_there(tenant: UUID, actor: Actor) -> None:
    facts, thief = attached(actor), Owner(Of.MESSAGE, new_id())
    FileRow.objects.filter(id=facts.id).update(owner_id=thief.id)
    with pytest.raises(NotFound):
        api.file(facts.id, thief)


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"", Why.EMPTY), (b"MZ\x90" + bytes(90), Why.KIND), (b"%PDF-1.7 /JavaScript " + PDF, Why.ACTIVE)],
)
def test_of_a_refused_file_nothing_is_kept(tenant: UUID, actor: Actor, data: bytes, why: Why) -> None:
    with pytest.raises(FileRefused) as refused:
        take(actor, data)
    assert refused.value.why is why
    assert not FileRow.objects.exists()
    assert not PieceRow.objects.exists()


def test_what_is_too_large_is_refused_before_it_is_all_there(tenant: UUID, actor: Actor) -> None:
    seen = 0

    def endless() -> Iterator[bytes]:
        nonlocal seen
        yield JPEG
        while True:
            seen += 1
            yield bytes(1 << 20)

    with pytest.raises(FileRefused) as refused:
        api.take(new_id(), "a.jpg", endless(), draft_id=new_id(), actor=actor, at=AT)
    assert refused.value.why is Why.TOO_LARGE
    assert seen <= rules.LARGEST // (1 << 20) + 1
    assert not PieceRow.objects.exists()


def test_a_large_file_is_never_whole_in_memory(tenant: UUID, actor: Actor) -> None:
    def pieces() -> Iterator[bytes]:
        yield JPEG
        for _ in range(9 * 16):
            yield bytes(1 << 16)

    tracemalloc.start()
    draft = api.take(new_id(), "a.jpg", pieces(), draft_id=new_id(), actor=actor, at=AT)
    _, read = api.read(draft.id, draft.owner, actor=actor)
    assert sum(map(len, read)) == draft.size
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 * (1 << 20)


def test_only_own_drafts_are_attached_and_only_so_many(tenant: UUID, actor: Actor) -> None:
    owner, contact, draft_id = Owner(Of.ENTRY, new_id()), new_id(), new_id()
    mine = [take(actor, contact=contact, draft=draft_id).id for _ in range(rules.MOST + 1)]
    elses = take(actor, contact=new_id(), draft=draft_id)
    for ids in ([elses.id], [new_id()], [mine[0], elses.id]):
        with pytest.raises(BadInput):
            api.attach(ids, owner, contact_id=contact, draft_id=draft_id)
    with pytest.raises(FileRefused):
        api.attach(mine, owner, contact_id=contact, draft_id=draft_id)
    assert len(api.attach(mine[:2], owner, contact_id=contact, draft_id=draft_id)) == 2
    with pytest.raises(BadInput):
        api.attach(mine[:1], Owner(Of.ENTRY, new_id()), contact_id=contact, draft_id=draft_id)
    assert [each.id for each in api.files_of([owner])[owner]] == mine[:2]


def test_what_can_only_be_looked_at_takes_pictures(tenant: UUID, actor: Actor) -> None:
    draft = take(actor, PDF)
    with pytest.raises(BadInput):
        api.attach(
            [draft.id],
            Owner(Of.MESSAGE, new_id()),
            contact_id=draft.contact_id,
            draft_id=draft.owner.id,
            only_pictures=True,
        )


def test_erased_is_gone_and_drafts_go_after_a_day(tenant: UUID, actor: Actor) -> None:
    facts, draft = attached(actor), take(actor)
    assert api.erase([facts.owner], actor=actor) == 1
    assert not PieceRow.objects.filter(file_id=facts.id).exists()
    assert api.forget_drafts(actor=actor, at=AT + timedelta(hours=23)) == 0
    assert api.forget_drafts(actor=actor, at=AT + timedelta(hours=24)) == 1
    assert not PieceRow.objects.filter(file_id=draft.id).exists()


def test_a_person_gets_their_files_and_is_erased_with_them(
    tenant: UUID, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = attached(actor, TEXT)
    [told] = leaving.export_person(facts.contact_id, actor=actor)["files"]
    assert (told["name"], told["bytes"]) == ("scan.txt", len(TEXT))
    assert told["content"]
    monkeypatch.setattr(leaving, "MOST_IN_A_COPY", 3)
    assert leaving.export_person(facts.contact_id, actor=actor)["files"][0]["content"] is None
    assert api.erase_person(facts.contact_id, actor=actor).erased == {"files": 1}
    assert api.erase_person(facts.contact_id, actor=actor).erased == {"files": 0}
    assert not PieceRow.objects.filter(file_id=facts.id).exists()


def test_another_organization_sees_nothing(organization: UUID, other_organization: UUID) -> None:
    with acting_for(organization):
        facts = attached(system(organization, "test"))
    with acting_for(other_organization), pytest.raises(NotFound):
        api.file(facts.id, facts.owner)
