"""Nothing that a thief could copy from the disk tells who the patients are."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from salus.intake import api as intake
from salus.platform import postgres
from salus.wiring.demo.clinic import DOMAINS, SEED
from salus.wiring.home import Home

from .conftest import PATIENTS, Told

pytestmark = pytest.mark.slow

_CHUNK = 1 << 22
_OVERLAP = 200

SHAPES = {
    "e-mail": re.compile(rb"[A-Za-z0-9._+-]{2,64}@[A-Za-z0-9.-]{3,80}"),
    "date": re.compile(rb"(?<!\d)(?:19|20)\d\d-\d\d-\d\d(?!\d)"),
    "phone": re.compile(rb"\+1\d{10}|\(\d{3}\) ?\d{3}-\d{4}"),
    "name": re.compile(rb"[A-Z][\w\x80-\xff'-]{1,30} [A-Z][\w\x80-\xff'-]{1,30}"),
}
"""What each kind of secret looks like: everything of that shape is looked up among the clinic's own."""


def secrets_of_the_clinic() -> dict[str, set[bytes]]:
    """Return every name, address, number and birth date of the generated clinic, by shape."""
    found: dict[str, set[bytes]] = {kind: set() for kind in SHAPES}
    with tempfile.TemporaryDirectory() as folder:
        intake.generate_clinic(Path(folder), patients=PATIENTS, seed=SEED, domains=DOMAINS)
        for line in (Path(folder) / "fhir" / "Patient.ndjson").read_bytes().splitlines():
            try:
                patient = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue  # the generator breaks a line on purpose
            for name in patient.get("name", []):
                if name.get("given") and name.get("family"):
                    found["name"].add(f"{name['given'][0]} {name['family']}".encode())
            if len(patient.get("birthDate", "")) == 10:
                found["date"].add(patient["birthDate"].encode())
        text = b"".join(path.read_bytes() for path in Path(folder).rglob("*") if path.is_file())
        for kind in ("e-mail", "phone"):
            found[kind] |= {value.lower() for value in SHAPES[kind].findall(text)}
    return found


def who_is_in(data: bytes, secrets: dict[str, set[bytes]]) -> set[str]:
    """Return which kinds of the clinic's secrets stand in `data`."""
    return {
        kind
        for kind, shape in SHAPES.items()
        if any(value in secrets[kind] or value.lower() in secrets[kind] for value in shape.findall(data))
    }


@contextmanager
def dump_of(home: Path) -> Iterator[bytes]:
    """Start the stopped cluster of `home` and yield a full dump of it."""
    where = Home(home)
    cluster = postgres.Cluster(home, where.password(postgres.SUPERUSER))
    cluster.prepare()
    with (home / "logs" / "postgres.log").open("ab") as log:
        server = subprocess.Popen(  # type: ignore[call-overload]
            cluster.command(), stdout=log, stderr=log, cwd=cluster.place.data, **cluster.drop_privileges()
        )
        try:
            cluster.wait_ready(alive=lambda: server.poll() is None)
            yield subprocess.run(
                [str(cluster.place.bin / "pg_dump"), cluster.dsn(database=postgres.DATABASE)],
                check=True,
                capture_output=True,
            ).stdout
        finally:
            server.send_signal(2)
            server.wait(60)


def pieces(path: Path) -> Iterator[bytes]:
    """Return a file in overlapping pieces, so that nothing hides on a border."""
    with path.open("rb") as file:
        tail = b""
        while block := file.read(_CHUNK):
            yield tail + block
            tail = block[-_OVERLAP:]


def test_a_dump_the_files_and_the_logs_name_nobody(told: Told) -> None:
    secrets = secrets_of_the_clinic()
    assert min(len(values) for values in secrets.values()) > PATIENTS // 3, "the search would be empty"
    found: dict[str, set[str]] = {}
    with dump_of(told.home) as dump:
        assert b"contacts_contact" in dump
        found["the dump"] = who_is_in(dump, secrets)
    found["what the demo printed"] = who_is_in(told.output.encode(), secrets)
    searched = 0
    for root in {told.home, postgres.place(told.home).data.parent}:
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink():
                searched += 1
                kinds = {kind for piece in pieces(path) for kind in who_is_in(piece, secrets)}
                found[str(path.relative_to(root))] = kinds
    assert searched > 100, "the write-ahead log, the audience file and the logs are among them"
    assert not {place: kinds for place, kinds in found.items() if kinds}


def test_the_search_would_find_somebody(tmp_path: Path) -> None:
    secrets = secrets_of_the_clinic()
    for kind, values in secrets.items():
        planted = tmp_path / "planted"
        planted.write_bytes(b"\x00" * (_CHUNK - 5) + b" " + next(iter(values)) + b"\x01" * 100)
        assert kind in {found for piece in pieces(planted) for found in who_is_in(piece, secrets)}
