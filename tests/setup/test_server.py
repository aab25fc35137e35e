"""A set-up with a database server of the clinic's own: the server is used, its password kept nowhere."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from salus.platform import postgres
from tests.server import debian_server
from tests.setup.relay import Relay, running_relay
from tests.setup.test_first_mail import ANSWERS, Newcomer

SERVER = '[keep]\ndatabase = "server"\n'


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="salus-server-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def relay(folder: Path) -> Iterator[Relay]:
    (folder / "relay").mkdir()
    with running_relay(folder / "relay") as relay:
        yield relay


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    with debian_server(folder, postgres.binaries()) as url:
        yield url


def test_a_set_up_uses_the_server_that_is_named_and_keeps_no_password(
    folder: Path, relay: Relay, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    newcomer = Newcomer(folder / "home", relay.authority)
    answers = ANSWERS.format(port=relay.port).replace("[keep]\n", SERVER)
    without = newcomer.salus("setup", answers=answers)
    assert (without.returncode, "DATABASE_URL names no server." in without.stderr) == (2, True)

    done = newcomer.salus("setup", answers=answers, database_url=server)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "taken over TLSv1.3" in done.stdout
    assert "The word is: " in relay.wait_for_mail()
    with psycopg.connect(server, dbname="salus") as connection:
        assert connection.execute("SELECT count(*) FROM identity_organization").fetchone() == (1,)
    assert not (folder / "home" / "postgres" / "data").exists(), "no database of our own beside it"
    password = urlsplit(server).password
    assert password
    for file in (folder / "home").rglob("*"):
        if file.is_file():
            assert password.encode() not in file.read_bytes(), file

    again = newcomer.salus("doctor", "--json")
    assert '"checks"' in again.stdout or again.stdout.startswith(("{", "[")), again.stderr
