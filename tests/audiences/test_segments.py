"""Segments as staff keep them: sealed, versioned, never circular, and nobody else's."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from salus.audiences import api
from salus.audiences.models import FrozenRow
from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, Conflict, NotFound, Unavailable
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import PhiClass
from salus.platform.tenancy import acting_for

from .worlds import tree

WOMEN = tree({"field": "gender", "equal": "female"})
NAME = "Women of Quillfeather Lane"


def test_a_segment_is_kept_with_its_name_and_what_it_reads(tenant: UUID, actor: Actor) -> None:
    saved = api.save_segment(f"  {NAME} ", WOMEN, actor)
    assert api.segment(saved.id) == saved
    assert saved.name.reveal() == NAME
    assert saved.version == 1
    assert [(one.field, one.phi_class) for one in saved.reads] == [("gender", PhiClass.DEMOGRAPHIC)]
    assert api.segments() == [saved]


def test_names_and_trees_are_sealed_and_the_log_holds_neither(tenant: UUID, actor: Actor) -> None:
    saved = api.save_segment(NAME, tree({"field": "city", "equal": "Quillfeather"}), actor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(s)::text, encode(sealed, 'escape') FROM audiences_segment s")
        assert "Quillfeather" not in str(cursor.fetchall())
        cursor.execute("SELECT * FROM audit_entry")
        assert "Quillfeather" not in str(cursor.fetchall())
    entry = audit.entries(Filters(action=Action.SEGMENT_SAVE), after=None, limit=5)[0]
    assert (entry.object_id, entry.fields) == (saved.id, ("city",))


def test_a_change_needs_the_version_that_was_seen(tenant: UUID, actor: Actor) -> None:
    saved = api.save_segment(NAME, WOMEN, actor)
    again = api.save_segment("Everybody", tree({"all": []}), actor, segment_id=saved.id, version=1)
    assert (again.id, again.version) == (saved.id, 2)
    with pytest.raises(Conflict):
        api.save_segment(NAME, WOMEN, actor, segment_id=saved.id, version=1)
    with pytest.raises(NotFound):
        api.save_segment(NAME, WOMEN, actor, segment_id=new_id())


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\x07b"])
def test_a_name_that_will_not_do_is_refused(tenant: UUID, actor: Actor, name: str) -> None:
    with pytest.raises(BadInput) as caught:
        api.save_segment(name, WOMEN, actor)
    assert caught.value.place == "name"


def test_segments_never_go_round_in_a_circle(tenant: UUID, actor: Actor) -> None:
    first = api.save_segment("First", WOMEN, actor)
    second = api.save_segment("Second", tree({"not": {"segment": str(first.id)}}), actor)
    third = api.save_segment("Third", tree({"any": [{"segment": str(second.id)}, {"all": []}]}), actor)
    for target in (first, second, third):
        with pytest.raises(BadInput, match="leads back") as caught:
            api.save_segment(
                "First", tree({"all": [{"segment": str(target.id)}]}), actor, segment_id=first.id
            )
        assert caught.value.place.startswith("$.where.all[0].segment")
    assert [one.field for one in api.check(tree({"segment": str(third.id)}))] == ["gender"]


def test_a_change_that_would_spoil_another_segment_is_refused(tenant: UUID, actor: Actor) -> None:
    inner = api.save_segment("Inner", WOMEN, actor)
    deep: Any = {"segment": str(inner.id)}
    for _ in range(40):
        deep = {"not": deep}
    api.save_segment("Outer", tree(deep), actor)
    for _ in range(30):
        deep_inner: Any = WOMEN["where"]
    for _ in range(30):
        deep_inner = {"not": deep_inner}
    with pytest.raises(BadInput, match="another segment"):
        api.save_segment("Inner", tree(deep_inner), actor, segment_id=inner.id)


def test_another_organization_sees_no_segment(organization: UUID, other_organization: UUID) -> None:
    with acting_for(organization):
        saved = api.save_segment(NAME, WOMEN, system(organization, "test"))
    with acting_for(other_organization):
        assert api.segments() == []
        with pytest.raises(NotFound):
            api.segment(saved.id)
        with pytest.raises(BadInput, match="no such segment"):
            api.check(tree({"segment": str(saved.id)}))


def test_a_frozen_membership_can_be_neither_changed_nor_deleted(tenant: UUID) -> None:
    row = FrozenRow(id=new_id(), segment_id=new_id(), segment_version=1, change=1, count=0,
                    frozen_at="2025-01-01T00:00Z", sealed=b"x", sealed_members=b"y")  # fmt: skip
    row.save()
    for statement in ("UPDATE audiences_frozen SET count = 1", "DELETE FROM audiences_frozen"):
        with (
            pytest.raises((DatabaseError, psycopg.Error)),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_without_an_engine_counting_says_so_and_saving_still_works(tenant: UUID, actor: Actor) -> None:
    saved = api.save_segment(NAME, WOMEN, actor)
    with pytest.raises(Unavailable, match="not running"):
        api.count(WOMEN)
    with pytest.raises(Unavailable):
        api.freeze(saved.id, actor)
    assert [(one.depth, one.people) for one in api.steps(WOMEN)] == [(0, -1)]


def run(*words: str) -> int:
    from salus.wiring.cli import main

    return main(list(words))


def test_the_command_prints_the_schema(database: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("segment", "schema") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(api.schema()))


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "line 1, column 2"), ('{"version": 1}', "does not say where"), ("[" * 100_000, "")],
)
def test_a_wrong_file_ends_with_2_and_names_the_place(
    organization: UUID, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    content: str, says: str,
) -> None:  # fmt: skip
    from salus.wiring.cli import segment

    monkeypatch.setattr(segment, "organization_named", lambda _: argparse.Namespace(id=organization))
    file = tmp_path / "segment.json"
    file.write_text(content)
    assert run("segment", "count", str(file)) == 2
    assert says in capsys.readouterr().err
    assert run("segment", "explain", str(tmp_path / "absent.json")) == 2
