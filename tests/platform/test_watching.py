"""What watchers ask: whether it works, and how much it does, without a word about a tenant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from salus.platform import health, metrics
from salus.platform.metrics import Family


@pytest.fixture
def client(database: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Somebody on this machine; the platform's own figures only."""
    monkeypatch.setattr(health, "_migrated", False)
    settings.SALUS_METRICS = ""
    settings.SALUS_METRICS_TOKEN_FILE = ""
    return Client(headers={"host": "localhost"})


def test_a_process_that_can_work_says_so(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert client.head("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405


def test_tables_of_an_older_version_are_told(client: Client) -> None:
    with transaction.atomic():
        last = MigrationRecorder.Migration.objects.filter(app="timeline").order_by("id").last()
        assert last
        last.delete()
        answer = client.get("/healthz")
        transaction.set_rollback(True)
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "down",
        "problems": ["The tables are of an older version; migrations not applied: 1."],
    }
    assert client.get("/healthz").status_code == 200


def test_a_database_that_does_not_answer_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def cursor(self) -> None:
            raise OperationalError("host db.internal.example.org is away")

        def close(self) -> None:
            return None

    monkeypatch.setattr(health, "connection", Gone())
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["The database does not answer."]
    assert "example.org" not in answer.content.decode()


def test_this_machine_sees_the_figures(client: Client) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE salus_jobs gauge\n" in answer.content.decode()


@pytest.mark.parametrize(
    "where", [{"REMOTE_ADDR": "192.0.2.7"}, {"HTTP_X_FORWARDED_FOR": "192.0.2.7"}, {"HTTP_VIA": "1.1 proxy"}]
)
def test_nobody_else_does_without_a_token(client: Client, where: dict[str, str]) -> None:
    assert client.get("/metrics", **where).status_code == 404  # type: ignore[arg-type]


def test_a_token_file_opens_them_to_who_has_it_and_to_nobody_else(
    client: Client, settings: Any, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("a-long-secret\n")
    settings.SALUS_METRICS_TOKEN_FILE = str(file)
    far = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer wrong"}, **far).status_code == 404  # type: ignore[arg-type]
    right = client.get("/metrics", headers={"authorization": "Bearer a-long-secret"}, **far)  # type: ignore[arg-type]
    assert right.status_code == 200
    file.write_text("")
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


def test_figures_are_written_as_prometheus_reads_them() -> None:
    family = Family("salus_things", 'Things\nof "ours".', [({"queue": 'a"b\\c'}, 2), ({}, 0.5)])
    assert metrics.exposition([family]) == (
        '# HELP salus_things Things\\nof "ours".\n'
        "# TYPE salus_things gauge\n"
        'salus_things{queue="a\\"b\\\\c"} 2\n'
        "salus_things 0.5\n"
    )
    with pytest.raises(ValueError, match="name"):
        metrics.exposition([Family("Not a name", "", [])])
