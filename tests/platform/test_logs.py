"""Logs: no value of a person in a line, whatever raised, wherever it ended."""

from __future__ import annotations

import io
import json
import logging
import resource
import threading
from argparse import Namespace
from typing import Any
from uuid import UUID

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction

from salus.kernel.errors import BadInput, Conflict
from salus.kernel.phi import Phi
from salus.platform import logs
from salus.wiring import cli

CANARY = "Rosamund Quillfeather"


@pytest.fixture
def written() -> Any:
    """What a logger of ours writes with the product's handler, as text."""
    stream = io.StringIO()
    handler = logs.Handler(stream)
    handler.setFormatter(logs.JsonFormatter())
    logger = logging.getLogger("salus.test_logs")
    logger.addHandler(handler)
    logger.propagate = False
    yield lambda: stream.getvalue()
    logger.removeHandler(handler)


log = logging.getLogger("salus.test_logs")


def caught(make: Any) -> None:
    try:
        make()
    except Exception:
        log.exception("it went wrong")


@pytest.mark.parametrize(
    "make",
    [
        lambda: int(CANARY),
        lambda: {"a": 1}[CANARY],
        lambda: UUID(CANARY),
        lambda: json.loads(f'"{CANARY}'),
        lambda: (_ for _ in ()).throw(RuntimeError(CANARY)),
    ],
)
def test_the_text_of_others_exceptions_is_not_written(make: Any, written: Any) -> None:
    caught(make)
    assert "Quillfeather" not in written()
    line = json.loads(written())
    assert line["error"].isalpha()
    assert line["frames"]


def test_our_own_errors_say_what_happened(written: Any) -> None:
    caught(lambda: (_ for _ in ()).throw(BadInput("The third column is empty.", place="line 3")))
    assert json.loads(written())["error"] == "BadInput: line 3: The third column is empty."


def test_a_refusal_of_the_database_names_its_code_and_constraint_only(database: Any, written: Any) -> None:
    def twice() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE people (name text CONSTRAINT one_name UNIQUE) ON COMMIT DROP")
            cursor.execute("INSERT INTO people VALUES (%s), (%s)", [CANARY, CANARY])

    with pytest.raises(IntegrityError, match="Quillfeather"):
        twice()
    caught(twice)
    assert "Quillfeather" not in written()
    assert json.loads(written())["error"].startswith("IntegrityError 23505 one_name people")


def test_a_value_that_the_database_cannot_read_is_not_written(database: Any, written: Any) -> None:
    def cast() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT %s::uuid", [CANARY])

    with pytest.raises(DataError, match="Quillfeather"):
        cast()
    caught(cast)
    assert "Quillfeather" not in written()


def test_the_servers_own_log_shows_no_value_either(database: Any) -> None:
    """PostgreSQL writes the text of an ERROR, which quotes the value it could not read."""
    with pytest.raises(DataError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT %s::uuid", [CANARY])
    if database.url:
        pytest.skip("the log of a server that is not ours is not ours to read")
    text = (database.home.path / "postgres.log").read_bytes()
    assert b"ready to accept connections" in text
    assert b"Quillfeather" not in text


def test_phi_addresses_and_tokens_are_masked_in_messages(written: Any) -> None:
    token = "AUx3" + "Ab9_-" * 20
    log.warning("%s wrote from %s, +1 518 555 0142, born %s", Phi(CANARY), "rosa@example.test", "1961-02-03")
    log.warning("Too Many Requests: /p/m/%s", token)
    for secret in ("Quillfeather", "rosa", "0142", "1961", token[:30]):
        assert secret not in written()


def test_a_faulty_call_shows_where_it_is_and_none_of_its_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler = logs.Handler(io.StringIO())
    handler.setFormatter(logs.JsonFormatter())
    handler.handle(logging.LogRecord("salus.x", 30, "/somewhere/faulty.py", 7, "%d people", (CANARY,), None))
    said = capsys.readouterr().err
    assert "Quillfeather" not in said
    assert json.loads(said)["message"] == "a log line could not be written: faulty.py:7"


def test_of_others_messages_only_the_first_line_is_kept() -> None:
    record = logging.LogRecord("_granian", 40, "", 0, f"it raised\nValueError: {CANARY}", (), None)
    assert json.loads(logs.JsonFormatter().format(record))["message"] == "it raised"


def run_command(monkeypatch: pytest.MonkeyPatch, run: Any) -> int:
    class Parser:
        def parse_args(self, arguments: object) -> Namespace:
            return Namespace(run=run)

    monkeypatch.setattr(cli, "parser", Parser)
    return cli.main([])


def test_a_command_that_breaks_ends_with_one_redacted_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(monkeypatch, lambda _: int(CANARY))
    assert ended.value.code == 70
    said = capsys.readouterr().err
    assert "Quillfeather" not in said
    assert json.loads(said)["error"] == "ValueError"


def test_a_thread_that_breaks_says_so_in_one_redacted_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_: Namespace) -> int:
        thread = threading.Thread(target=lambda: int(CANARY))
        thread.start()
        thread.join()
        return 0

    before = threading.excepthook
    assert run_command(monkeypatch, run) == 0
    assert threading.excepthook is before
    said = capsys.readouterr().err
    assert "Quillfeather" not in said
    assert json.loads(said)["error"] == "ValueError"


def test_a_refusal_is_still_told_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: Namespace) -> int:
        raise Conflict("It was approved already.")

    assert run_command(monkeypatch, refuse) == 1
    assert capsys.readouterr().err == "salus: It was approved already.\n"


def test_a_database_that_is_away_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(_: Namespace) -> int:
        raise OperationalError(f"connection to {CANARY} failed")

    assert run_command(monkeypatch, ask) == 1
    said = capsys.readouterr().err
    assert said.startswith("salus: The database does not answer.")
    assert "Quillfeather" not in said


def test_no_command_leaves_a_core_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    try:
        seen: list[int] = []
        run_command(monkeypatch, lambda _: seen.append(resource.getrlimit(resource.RLIMIT_CORE)[0]))
        assert seen == [0]
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
