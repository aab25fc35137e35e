"""Somebody owns the database, switches the triggers off and rewrites the log: every way of it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from salus.audit import api as audit
from salus.audit import rules
from salus.audit.contracts import Action, NewEntry, Verdict
from salus.audit.merkle import Tree
from salus.kernel.acting import system
from salus.kernel.errors import Conflict
from salus.kernel.ids import new_id
from salus.kernel.time import SystemClock
from salus.platform.tenancy import acting_for

Thief = Callable[..., None]
SIZE = 600
"""Two full tiles and a partial one."""


@dataclass
class Log:
    """A log of committed, signed and witnessed entries."""

    organization: UUID
    ids: list[UUID]

    def at(self, position: int) -> UUID:
        return self.ids[position]

    def verify(self, given: str | None = None) -> Verdict:
        with acting_for(self.organization):
            return audit.verify(given)

    def grow(self, count: int) -> None:
        actor = system(self.organization, "test")
        with acting_for(self.organization):
            audit.record_many(
                [NewEntry(Action.CONTACT_READ, actor, "contact", object_id=new_id()) for _ in range(count)]
            )
        with acting_for(self.organization):
            audit.integrate()
        with acting_for(self.organization):
            audit.checkpoint()


@pytest.fixture
def log(organization: UUID, witness_folder: Path) -> Log:
    """The log; the first entries are those of making the organization's keys."""
    made = Log(organization, [])
    made.grow(SIZE // 2)
    made.grow(SIZE // 2)
    with acting_for(organization), connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry_id FROM audit_index WHERE organization_id = %s ORDER BY position", [organization]
        )
        made.ids = [entry_id for (entry_id,) in cursor.fetchall()]
    assert made.verify().verified
    return made


def faults(verdict: Verdict) -> str:
    assert not verdict.verified
    return "\n".join(f"{fault.position}: {fault.what}" for fault in verdict.faults)


COLUMNS = {
    "at": "at + interval '1 microsecond'",
    "action": "'contacts:record:change'",
    "actor_kind": "'staff'",
    "actor_id": "gen_random_uuid()",
    "actor_name": "'somebody'",
    "role": "'administrator'",
    "session_id": "'s'",
    "ip": "'127.0.0.1'",
    "object_kind": "'template'",
    "object_id": "NULL",
    "patient_id": "gen_random_uuid()",
    "fields": "'{email}'",
    "purpose": "'survey_feedback'",
    "outcome": "'refused'",
    "reason": "'other'",
    "rule_version": "'2'",
    "details": "'{\"count\": 1}'",
    "leaf_hash": "sha256('x')",
}


CUNNING = (
    ("at", "at - make_interval(years => 2 * extract(year FROM at)::int - 1)"),  # the same year before Christ
    ("action", 'action || \'","actor_id":null\''),
    ("reason", "E'a\\nb'"),
    ("purpose", "'ä'"),
    ("fields", "'{NULL}'"),
    ("details", "'{\"count\": 1e400}'"),
    ("details", "'[]'"),
)
"""Values that could read like others, or not be read at all."""


@pytest.mark.parametrize("position", [0, 255, 256, SIZE - 1])
def test_every_column_that_is_changed_names_its_entry(
    log: Log, behind_our_back: Thief, position: int
) -> None:
    entry_id = log.at(position)
    behind_our_back("CREATE TEMPORARY TABLE before AS SELECT * FROM audit_entry WHERE id = %s", entry_id)
    for column, value in (*COLUMNS.items(), *CUNNING):
        behind_our_back(f"UPDATE audit_entry SET {column} = {value} WHERE id = %s", entry_id)
        assert f"{position}: entry {entry_id} was changed" in faults(log.verify()), (column, value)
        behind_our_back("DELETE FROM audit_entry WHERE id = %s", entry_id)
        behind_our_back("INSERT INTO audit_entry SELECT * FROM before")
    assert log.verify().verified


def forge(behind_our_back: Thief, log: Log, position: int) -> UUID:
    """Change an entry and give it the hash that fits, as somebody would who knows the code."""
    entry_id = log.at(position)
    entry = NewEntry(Action.CONTACT_ERASE, system(log.organization, "test"), "contact")
    at = SystemClock().now()
    leaf = rules.leaf_hash(rules.encode(rules.content(entry, entry_id, at)))
    behind_our_back(
        "UPDATE audit_entry SET action = 'contacts:record:erase', object_id = NULL, at = %s, leaf_hash = %s "
        "WHERE id = %s",
        at,
        leaf,
        entry_id,
    )
    return entry_id


def test_an_entry_forged_with_its_hash_does_not_fit_its_place(log: Log, behind_our_back: Thief) -> None:
    entry_id = forge(behind_our_back, log, 300)
    assert f"300: entry {entry_id} is not the one that was put here" in faults(log.verify())


@pytest.mark.parametrize("position", [10, 300])
def test_an_entry_forged_with_its_hash_and_its_place_does_not_fit_the_tile(
    log: Log, behind_our_back: Thief, position: int
) -> None:
    entry_id = forge(behind_our_back, log, position)
    behind_our_back(
        "UPDATE audit_index SET leaf_hash = (SELECT leaf_hash FROM audit_entry WHERE id = %s) WHERE entry_id = %s",
        entry_id,
        entry_id,
    )
    assert f"{position}: the entry is not the one whose hash the tile keeps" in faults(log.verify())


def rewrite(behind_our_back: Thief, log: Log) -> None:
    """Make everything in the database fit a forged entry: places, tiles, edge; only the key is missing."""
    with acting_for(log.organization), connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry.leaf_hash FROM audit_index AS place JOIN audit_entry AS entry ON entry.id = place.entry_id "
            "WHERE place.organization_id = %s ORDER BY place.position",
            [log.organization],
        )
        leaves = [bytes(leaf) for (leaf,) in cursor.fetchall()]
    behind_our_back(
        "UPDATE audit_index SET leaf_hash = entry.leaf_hash FROM audit_entry AS entry "
        "WHERE entry.id = audit_index.entry_id AND audit_index.organization_id = %s",
        log.organization,
    )
    from salus.audit.tiles import Edge

    edge = Edge()
    edge.append(leaves)
    for level, number, hashes in edge.take_full():
        behind_our_back(
            "UPDATE audit_tile SET hashes = %s WHERE organization_id = %s AND level = %s AND number = %s",
            hashes,
            log.organization,
            level,
            number,
        )
    behind_our_back(
        "UPDATE audit_log SET edge = %s WHERE organization_id = %s", edge.hashes(), log.organization
    )


def test_a_whole_rewritten_log_does_not_have_the_signed_root(log: Log, behind_our_back: Thief) -> None:
    forge(behind_our_back, log, 400)
    rewrite(behind_our_back, log)
    found = faults(log.verify())
    assert "the log is not what the database's checkpoint signed" in found
    assert "the log is not what the witnessed checkpoint signed" in found
    assert "something between positions 301 and 600 was changed" in found  # the first checkpoint still agrees


def test_a_rewritten_log_whose_checkpoints_were_removed_is_betrayed_by_the_witness(
    log: Log, behind_our_back: Thief
) -> None:
    forge(behind_our_back, log, 100)
    rewrite(behind_our_back, log)
    behind_our_back("DELETE FROM audit_checkpoint WHERE organization_id = %s", log.organization)
    found = faults(log.verify())
    assert "the log is not what the witnessed checkpoint signed" in found
    assert "is not in the database" in found


def test_a_rewritten_log_without_witness_is_betrayed_by_a_checkpoint_that_somebody_kept(
    log: Log, behind_our_back: Thief, witness_folder: Path
) -> None:
    file = witness_folder / f"{log.organization}.checkpoints"
    kept = file.read_text()
    file.unlink()
    forge(behind_our_back, log, 100)
    rewrite(behind_our_back, log)
    behind_our_back("DELETE FROM audit_checkpoint WHERE organization_id = %s", log.organization)
    assert log.verify().verified  # nothing is left to hold it against, and the verdict says so
    assert any("nothing to hold" in remark for remark in log.verify().remarks)
    assert "the given checkpoint signed" in faults(log.verify(kept))


def test_a_rewritten_log_is_not_signed_again(log: Log, behind_our_back: Thief) -> None:
    forge(behind_our_back, log, 100)
    rewrite(behind_our_back, log)
    with pytest.raises(Conflict):
        log.grow(1)


@pytest.mark.parametrize("position", [0, 256, SIZE])
def test_a_deleted_entry_is_named(log: Log, behind_our_back: Thief, position: int) -> None:
    behind_our_back("DELETE FROM audit_entry WHERE id = %s", log.at(position))
    assert f"{position}: entry {log.at(position)} was deleted" in faults(log.verify())


def test_an_entry_deleted_together_with_its_place_leaves_a_gap(log: Log, behind_our_back: Thief) -> None:
    behind_our_back("DELETE FROM audit_entry WHERE id = %s", log.at(50))
    behind_our_back("DELETE FROM audit_index WHERE entry_id = %s", log.at(50))
    found = faults(log.verify())
    assert "50: 1 entries were removed from the order" in found
    assert "the log counts 601 entries, 600 have a place" in found


def test_a_place_that_was_removed_leaves_its_entry_astray(log: Log, behind_our_back: Thief) -> None:
    behind_our_back("DELETE FROM audit_index WHERE entry_id = %s", log.at(50))
    assert f"entry {log.at(50)} is neither in the log nor waiting" in faults(log.verify())


def test_a_gap_that_was_closed_by_moving_places_is_seen(log: Log, behind_our_back: Thief) -> None:
    behind_our_back("DELETE FROM audit_entry WHERE id = %s", log.at(50))
    behind_our_back("DELETE FROM audit_index WHERE entry_id = %s", log.at(50))
    for shift in (100_000, -100_001):
        behind_our_back(
            "UPDATE audit_index SET position = position + %s WHERE organization_id = %s AND position > 50",
            shift,
            log.organization,
        )
    behind_our_back("UPDATE audit_log SET size = size - 1 WHERE organization_id = %s", log.organization)
    found = faults(log.verify())
    assert "50: the entry is not the one whose hash the tile keeps" in found
    assert "the log was cut: " in found


def test_a_log_that_was_cut_at_its_end_is_shorter_than_what_was_signed(
    log: Log, behind_our_back: Thief
) -> None:
    behind_our_back("DELETE FROM audit_entry WHERE id = %s", log.at(SIZE))
    behind_our_back("DELETE FROM audit_index WHERE entry_id = %s", log.at(SIZE))
    behind_our_back(
        "UPDATE audit_log SET size = size - 1, edge = substr(edge, 1, 88 * 32) || substr(edge, 89 * 32 + 1) "
        "WHERE organization_id = %s",
        log.organization,
    )
    found = faults(log.verify())
    assert "the log was cut: the database's checkpoint signed 601 entries, 600 are here" in found


def test_an_emptied_log_is_seen(log: Log, behind_our_back: Thief) -> None:
    for table in ("entry", "index", "tile", "log"):
        behind_our_back(f"DELETE FROM audit_{table} WHERE organization_id = %s", log.organization)
    assert "the log was cut" in faults(log.verify())


def test_two_entries_that_changed_places_are_both_named(log: Log, behind_our_back: Thief) -> None:
    one, other = log.at(20), log.at(21)
    for entry_id, place in ((one, 100_000), (other, 20), (one, 21)):
        behind_our_back("UPDATE audit_index SET position = %s WHERE entry_id = %s", place, entry_id)
    found = faults(log.verify())
    assert "20: the entry is not the one whose hash the tile keeps" in found
    assert "21: the entry is not the one whose hash the tile keeps" in found


def test_two_entries_that_changed_their_ids_in_the_order_are_both_named(
    log: Log, behind_our_back: Thief
) -> None:
    one, other, third = log.at(SIZE - 1), log.at(SIZE), new_id()
    for now, then in ((one, third), (other, one), (third, other)):
        behind_our_back("UPDATE audit_index SET entry_id = %s WHERE entry_id = %s", then, now)
    found = faults(log.verify())
    assert f"{SIZE - 1}: entry {other} is not the one that was put here" in found
    assert f"{SIZE}: entry {one} is not the one that was put here" in found


def insert(behind_our_back: Thief, log: Log) -> tuple[UUID, bytes]:
    """Put a well-formed entry into the table, past the program."""
    entry_id, at = new_id(), SystemClock().now()
    entry = NewEntry(Action.CONTACT_ERASE, system(log.organization, "test"), "contact")
    leaf = rules.leaf_hash(rules.encode(rules.content(entry, entry_id, at)))
    behind_our_back(
        "INSERT INTO audit_entry (organization_id, id, at, action, actor_kind, actor_name, role, session_id, ip, "
        "object_kind, fields, purpose, outcome, reason, rule_version, details, leaf_hash) VALUES "
        "(%s, %s, %s, 'contacts:record:erase', 'system', 'test', '', '', '', 'contact', '{}', '', 'ok', '', '', "
        "'{}', %s)",
        log.organization,
        entry_id,
        at,
        leaf,
    )
    return entry_id, leaf


def test_an_entry_inserted_past_the_program_is_astray(log: Log, behind_our_back: Thief) -> None:
    entry_id, _ = insert(behind_our_back, log)
    assert f"entry {entry_id} is neither in the log nor waiting" in faults(log.verify())


def test_an_entry_inserted_with_a_place_at_the_end_lies_beyond_it(log: Log, behind_our_back: Thief) -> None:
    entry_id, leaf = insert(behind_our_back, log)
    behind_our_back(
        "INSERT INTO audit_index (organization_id, position, entry_id, leaf_hash) VALUES (%s, %s, %s, %s)",
        log.organization,
        SIZE + 1,
        entry_id,
        leaf,
    )
    assert f"{SIZE + 1}: entry {entry_id} has a place beyond the end" in faults(log.verify())


def test_an_entry_inserted_in_the_middle_of_the_order_is_seen(log: Log, behind_our_back: Thief) -> None:
    entry_id, leaf = insert(behind_our_back, log)
    for shift in (100_000, -99_999):
        behind_our_back(
            "UPDATE audit_index SET position = position + %s WHERE organization_id = %s AND position >= 40",
            shift,
            log.organization,
        )
    behind_our_back(
        "INSERT INTO audit_index (organization_id, position, entry_id, leaf_hash) VALUES (%s, 40, %s, %s)",
        log.organization,
        entry_id,
        leaf,
    )
    behind_our_back("UPDATE audit_log SET size = size + 1 WHERE organization_id = %s", log.organization)
    found = faults(log.verify())
    assert "40: the entry is not the one whose hash the tile keeps" in found
    assert "the log is not what" in found


def test_an_entry_deleted_while_it_waited_is_named(log: Log, behind_our_back: Thief) -> None:
    with acting_for(log.organization):
        (entry_id,) = audit.record_many(
            [NewEntry(Action.CONTACT_READ, system(log.organization, "test"), "contact")]
        )
    behind_our_back("DELETE FROM audit_entry WHERE id = %s", entry_id)
    with acting_for(log.organization):
        assert audit.integrate() == 0
    assert f"entry {entry_id} was deleted while it waited" in faults(log.verify())


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (
            "UPDATE audit_tile SET hashes = sha256('x') || substr(hashes, 33) WHERE level = 0",
            "the tile keeps",
        ),
        ("DELETE FROM audit_tile WHERE level = 0 AND number = 1", "tile 0/1 was deleted"),
        ("UPDATE audit_log SET edge = sha256('x') || substr(edge, 33) WHERE true", "right edge"),
        ("UPDATE audit_log SET size = size - 1 WHERE true", "beyond the end of the log"),
        ("UPDATE audit_checkpoint SET root = sha256('x') WHERE true", "does not say what its row says"),
        ("UPDATE audit_checkpoint SET size = size + 1 WHERE size > 400", "does not say what its row says"),
        (
            "UPDATE audit_checkpoint SET note = replace(note, 'salus/', 'other/') WHERE true",
            "not signed by this log",
        ),
        ("UPDATE audit_checkpoint SET note = 'nothing' WHERE true", "does not read"),
    ],
)
def test_tiles_edge_and_checkpoints_that_were_changed_are_named(
    log: Log, behind_our_back: Thief, statement: str, what: str
) -> None:
    behind_our_back(f"{statement} AND organization_id = %s", log.organization)
    assert what in faults(log.verify())


def test_a_tile_from_nowhere_is_named(log: Log, behind_our_back: Thief) -> None:
    behind_our_back(
        "INSERT INTO audit_tile (organization_id, level, number, hashes) VALUES (%s, 0, 9, 'x')",
        log.organization,
    )
    assert "tile 0/9 lies beyond the end of the log" in faults(log.verify())


def test_a_witnessed_note_with_another_root_is_not_signed_by_us(log: Log, witness_folder: Path) -> None:
    file = witness_folder / f"{log.organization}.checkpoints"
    lines = file.read_text().split("\n")
    lines[2] = lines[2][::-1].replace("=", "A", 1)[:43] + "="
    file.write_text("\n".join(lines))
    assert "the witnessed checkpoint" in faults(log.verify())


def test_a_flood_of_faults_is_counted_not_listed(log: Log, behind_our_back: Thief) -> None:
    behind_our_back("UPDATE audit_entry SET role = 'x' WHERE organization_id = %s", log.organization)
    verdict = log.verify()
    assert len(verdict.faults) == 201
    assert verdict.faults[-1].what == "and 401 faults more"


@pytest.mark.parametrize("table", ["entry", "index", "tile", "checkpoint"])
def test_the_program_itself_cannot_change_delete_or_truncate(log: Log, table: str) -> None:
    for statement in (
        f"UPDATE audit_{table} SET organization_id = organization_id",
        f"DELETE FROM audit_{table}",
        f"TRUNCATE audit_{table}",
    ):
        with (
            pytest.raises(DatabaseError, match=r"append-only|permission denied"),
            acting_for(log.organization),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    assert log.verify().verified


@pytest.mark.parametrize("table", ["entry", "index", "tile", "checkpoint"])
def test_not_even_the_owner_of_the_tables_can_while_the_triggers_stand(
    log: Log, database: object, table: str
) -> None:
    import psycopg

    with psycopg.connect(database.superuser_dsn, autocommit=True) as owner:  # type: ignore[attr-defined]
        for statement in (
            f"UPDATE audit_{table} SET organization_id = organization_id WHERE organization_id = '{log.organization}'",
            f"DELETE FROM audit_{table} WHERE organization_id = '{log.organization}'",
            f"TRUNCATE audit_{table}",
        ):
            with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
                owner.execute(statement)


def test_row_level_security_alone_shows_nothing_of_another_log(log: Log, other_organization: UUID) -> None:
    for table in ("entry", "index", "tile", "checkpoint", "log", "pending"):
        with acting_for(other_organization), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM audit_{table} WHERE organization_id = %s", [log.organization]
            )
            assert cursor.fetchone() == (0,)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM audit_{table}")
            assert cursor.fetchone() == (0,)


def test_the_signed_root_is_the_root_of_the_entries(log: Log) -> None:
    with acting_for(log.organization), connection.cursor() as cursor:
        cursor.execute(
            "SELECT leaf_hash FROM audit_index WHERE organization_id = %s ORDER BY position",
            [log.organization],
        )
        leaves = [bytes(leaf) for (leaf,) in cursor.fetchall()]
        assert Tree(leaves).root().hex() == audit.verify().root
