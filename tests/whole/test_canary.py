"""Words that occur nowhere else go through every door; then nobody finds them on the disk, in a log or an address."""

from __future__ import annotations

import base64
import io
import logging
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from salus.audiences import api as audiences
from salus.audiences import client as audience_client
from salus.audit import api as audit
from salus.contacts import api as contacts
from salus.identity.contracts import Organization
from salus.intake import api as intake
from salus.kernel.errors import SalusError
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel
from salus.keys import api as keys
from salus.platform import logs, postgres
from salus.platform.tenancy import acting_for
from tests.browser import Console
from tests.campaigns.conftest import Engines

from .canary_letters import write_a_letter
from .canary_roads import (
    CLOCK,
    Place,
    deliver,
    do_a_task,
    go_on_a_journey,
    import_people,
    import_record,
    keep_a_list,
    look_around,
    make_campaign,
    read_in_the_portal,
    rotate_keys,
    say_in_the_ledger,
    tell_a_vendor,
    tell_of_events,
    write_template,
)
from .searching import Canaries, blocks

pytestmark = pytest.mark.slow


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """Everything that is logged while the test runs, as the product writes it."""
    stream = io.StringIO()
    handler = logs.Handler(stream)
    handler.setFormatter(logs.JsonFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream.getvalue
    root.removeHandler(handler)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go while the test runs: somewhere that can be searched."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def place(database: Any, temporary: Path, make_clinic: Callable[..., Organization]) -> Place:
    """A fresh clinic."""
    organization = make_clinic()
    return Place(organization, Canaries(), Console("http://localhost", organization))


def break_things(place: Place) -> None:
    """Log a protected value, and fail with values in the exceptions, ours and others'."""
    c, log = place.canaries, logging.getLogger("salus.test_canary")
    log.warning("who asked is %s (%r)", Phi(c["family"]), Phi(c.email))
    log.warning("addresses and numbers are masked where somebody forgot: %s +1%s", c.email, c.phone)
    for fault in (ValueError(c["fault"]), KeyError(c["fault"]), RuntimeError(Phi(c["fault"]))):
        with suppress(ValueError, KeyError, RuntimeError):
            try:
                raise fault
            except Exception:
                log.exception("it failed")
                raise
    with acting_for(place.id):
        for attempt in (
            lambda: contacts.normalize_email(f"{c['fault']} at nowhere"),
            lambda: contacts.blind_address(Channel.SMS, c["fault"]),
            lambda: audiences.check({"version": 1, "where": {"field": c["fault"], "equal": c["fault"]}}),
            lambda: keys.open_token(c["fault"], "portal", CLOCK.now()),
            lambda: intake.headings_in(f"{c['fault']}@example.test,1".encode()),
        ):
            with pytest.raises(SalusError) as refused:
                attempt()
            assert c["fault"] not in str(refused.value)
            log.error("refused: %s", refused.value, exc_info=refused.value)


def dump_of(world: Any) -> bytes:
    """Return a full dump of the database, by whoever has stolen it."""
    with psycopg.connect(world.superuser_dsn, autocommit=True) as superuser:
        superuser.execute("CHECKPOINT")
    program = postgres.binaries() / "pg_dump"
    return subprocess.run([str(program), world.superuser_dsn], check=True, capture_output=True).stdout


def test_nothing_that_was_put_in_is_found_again(
    place: Place,
    database: Any,
    temporary: Path,
    tmp_path: Path,
    logged: Callable[[], str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    c = place.canaries
    engines = Engines()
    with engines.running(audience_client.directory()):
        contact_id = import_people(place)
        import_record(place, tmp_path / "record")
        say_in_the_ledger(place, contact_id)
        engines.serve(place.id)
        version_id = write_template(place)
        campaign_id = make_campaign(place, version_id)
        message_id = deliver(place)
        read_in_the_portal(place, message_id)
        tell_a_vendor(place, contact_id)
        do_a_task(place, contact_id)
        write_a_letter(place, contact_id)
        tell_of_events(place, contact_id)
        keep_a_list(place)
        go_on_a_journey(place, contact_id, version_id)
        assert len(rotate_keys(place)) >= 20
        look_around(place, contact_id, campaign_id, message_id, version_id)
        break_things(place)
        with acting_for(place.id):
            audit.integrate()
            audit.checkpoint(CLOCK)
    assert len(c.words) > 25
    dump = dump_of(database)
    assert place.organization.slug.encode() in dump, "it is the dump of our database"
    assert str(message_id).encode() in dump
    found = {"the dump": c.look([dump])}
    found["the log"] = c.look([logged().encode()])
    assert "it failed" in logged()
    found["what was printed"] = c.look(["".join(capfd.readouterr()).encode()])
    found["addresses, headers and titles"] = c.look(["\n".join(place.seen).encode()])
    homes = [database.home.path, temporary]
    if not database.url:
        homes.append(postgres.place(database.home.path).data)
    searched = 0
    for path in (path for home in homes for path in home.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with suppress(FileNotFoundError):  # PostgreSQL removes files while we look
                found[str(path)] = c.look(blocks(path))
                searched += 1
    assert searched > 100, "the write-ahead log, tables, the audience file and keys are among them"
    assert {where: words for where, words in found.items() if words} == {}


@pytest.mark.parametrize("kind", ["mark", "phone", "birth date"])
def test_the_search_would_find_each_canary_in_every_dress(kind: str, tmp_path: Path) -> None:
    canaries, file = Canaries(), tmp_path / "file"
    text = {"mark": canaries["name"], "phone": f"+1{canaries.phone}", "birth date": canaries.born}[kind]
    for raw in (
        text.encode(),
        text.upper().encode(),
        text.encode("utf-16-le"),
        b"\\x" + f"before {text} behind".encode().hex().encode(),
        *(base64.b64encode(b"x" * n + text.encode() + b"y" * 7) for n in range(4)),
    ):
        file.write_bytes(b"\0" * ((1 << 22) - 9) + raw + b"\1" * 50)
        assert kind in canaries.look(blocks(file))
    file.write_bytes(b"nobody" * 1000)
    assert canaries.look(blocks(file)) == set()


def test_canaries_are_dated_as_people_are() -> None:
    born = datetime.fromisoformat(Canaries().born).replace(tzinfo=UTC)
    assert datetime(1911, 1, 1, tzinfo=UTC) < born < CLOCK.now()
