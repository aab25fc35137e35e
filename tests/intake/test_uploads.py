"""Uploads are sealed while they wait, whole when they are read, and gone when the import has ended."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from salus.intake import api, uploads
from salus.intake.models import Chunk
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, Unavailable
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for

from .clinicfiles import DESK

CANARY = "Velquistanova"
TABLES = (
    "intake_import",
    "intake_chunk",
    "intake_reject",
    "intake_mapping",
    "contacts_contact",
    "audit_entry",
)


def test_nothing_of_a_file_stands_in_clear_before_during_and_after(database: Any, organization: UUID) -> None:
    actor = system(organization, "test")
    text = (
        f"Record number,Email,First name,{CANARY}\n"
        f"C-1,{CANARY}@lakepost.test,{CANARY},x\nC-2,{CANARY} no address,{CANARY},x\n"
    )

    def dump() -> str:
        with psycopg.connect(database.superuser_dsn) as connection:
            rows = [
                row[0]
                for table in TABLES
                for row in connection.execute(f"SELECT t::text FROM {table} t").fetchall()
            ]
        return "\n".join(rows).lower()

    with acting_for(organization):
        import_id = api.start_csv(
            [text.encode()], declaration=DESK, actor=actor, name=f"{CANARY}.csv", queue=False
        )
        api.save_mapping(CANARY, api.suggest_mapping(["Email"]), actor=actor)
    waiting = dump()
    facts = api.run(organization, import_id, actor=actor)
    ended = dump()

    assert (facts.counts.created, facts.counts.rejected) == (1, 1)
    for found in (waiting, ended):
        assert CANARY.lower() not in found
        assert CANARY.encode().hex() not in found
    assert str(import_id) in waiting
    with acting_for(organization):
        assert not Chunk.objects.exists()


def test_a_large_file_comes_back_byte_for_byte(tenant: UUID) -> None:
    data = bytes(range(256)) * 10_000
    import_id = new_id()
    size = uploads.store(import_id, 0, [data[:7], data[7:1_500_000], data[1_500_000:]])

    assert size == len(data)
    assert Chunk.objects.count() == 3
    assert b"".join(uploads.read(tenant, import_id, 0, size)) == data
    assert b"".join(uploads.skip(uploads.read(tenant, import_id, 0, size), 1_234_567)) == data[1_234_567:]


def test_a_missing_chunk_stops_the_import_instead_of_ending_it_early(tenant: UUID) -> None:
    import_id = new_id()
    size = uploads.store(import_id, 0, [b"x" * (uploads.SIZE + 5)])
    Chunk.objects.filter(place=1).delete()

    with pytest.raises(Unavailable, match="part of the uploaded file is missing"):
        list(uploads.read(tenant, import_id, 0, size))


def test_chunks_that_changed_places_do_not_open(tenant: UUID) -> None:
    import_id = new_id()
    size = uploads.store(import_id, 0, [b"a" * uploads.SIZE + b"b" * uploads.SIZE])
    first, second = (bytes(Chunk.objects.get(place=place).sealed) for place in (0, 1))
    Chunk.objects.filter(place=0).update(sealed=second)
    Chunk.objects.filter(place=1).update(sealed=first)

    with pytest.raises(BadInput, match="does not open"):
        list(uploads.read(tenant, import_id, 0, size))


def test_starting_an_import_queues_one_job_in_the_same_transaction(tenant: UUID) -> None:
    from django.db import connection

    actor = system(tenant, "test")
    import_id = api.start_csv([b"Record number\nC-1\n"], declaration=DESK, actor=actor)
    api.start(import_id)

    with connection.cursor() as cursor:
        cursor.execute("SELECT args FROM procrastinate_jobs WHERE args->>'import_id' = %s", [str(import_id)])
        jobs = cursor.fetchall()
    assert len(jobs) == 1
    assert str(tenant) in str(jobs[0])


def test_the_job_runs_the_import_and_leaves_an_ended_one_alone(organization: UUID) -> None:
    from salus.intake.tasks import run_import

    with acting_for(organization):
        import_id = api.start_csv(
            [b"Record number\nC-1\n"], declaration=DESK, actor=system(organization, "test"), queue=False
        )
    for _ in range(2):
        run_import(organization_id=str(organization), import_id=str(import_id))

    with acting_for(organization):
        assert api.status(import_id).counts.created == 1
