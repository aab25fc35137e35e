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

_CHUNK = 1 << 20


def secrets_of_the_clinic() -> dict[str, set[bytes]]:
    """Return every name, address, number and birth date of the generated clinic, as it would stand in a file."""
    found: dict[str, set[bytes]] = {"name": set(), "email": set(), "phone": set(), "birth date": set(), "mrn": set()}
    with tempfile.TemporaryDirectory() as folder:
        clinic = intake.generate_clinic(Path(folder), patients=PATIENTS, seed=SEED, domains=DOMAINS)
        for line in (Path(folder) / "fhir" / "Patient.ndjson").read_bytes().splitlines():
            try:
                patient = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue  # the generator breaks a line on purpose
            for name in patient.get("name", []):
                full = " ".join([*name.get("given", []), name.get("family", "")]).strip()
                if " " in full:
                    found["name"].add(full.encode())
            if len(patient.get("birthDate", "")) == 10:
                found["birth date"].add(patient["birthDate"].encode())
        text = b"".join(path.read_bytes() for path in Path(folder).rglob("*") if path.is_file())
        found["email"] |= {mail.lower() for mail in re.findall(rb"[A-Za-z0-9._+-]+@[a-z0-9-]+\.example\.test", text)}
        found["phone"] |= set(re.findall(rb"\+1\d{10}", text)) | set(re.findall(rb"\(\d{3}\) \d{3}-\d{4}", text))
        assert clinic.patients == PATIENTS
    return {kind: values for kind, values in found.items() if values}


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
            tail = block[-200:]


def test_a_dump_the_files_and_the_logs_name_nobody(told: Told) -> None:
    secrets = secrets_of_the_clinic()
    assert sum(map(len, secrets.values())) > PATIENTS * 2, "the search would be empty"
    needles = re.compile(b"|".join(re.escape(value) for values in secrets.values() for value in values), re.IGNORECASE)
    found: list[str] = []
    with dump_of(told.home) as dump:
        assert b"contacts_contact" in dump
        if hit := needles.search(dump):
            found.append(f"the dump, at {hit.start()}")
    place = postgres.place(told.home)
    for root in {told.home, place.data.parent}:
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink() and any(needles.search(piece) for piece in pieces(path)):
                found.append(str(path.relative_to(root)))
    if needles.search(told.output.encode()):
        found.append("what the demo printed")
    assert not found


def test_the_search_would_find_somebody(told: Told, tmp_path: Path) -> None:
    values = [value for group in secrets_of_the_clinic().values() for value in group]
    planted = tmp_path / "planted"
    planted.write_bytes(b"x" * (_CHUNK - 5) + values[0] + b"y" * 100)
    needles = re.compile(b"|".join(map(re.escape, values)))
    assert any(needles.search(piece) for piece in pieces(planted))
