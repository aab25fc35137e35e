"""Programs that share nothing with Salus accept an exported log, and none that was touched."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, NewEntry
from salus.identity.contracts import Organization
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from tests.audit import tlog_tiles

GO = shutil.which("go")
OUTSIDE = Path(__file__).parent / "outside"


class Exported(NamedTuple):
    """The files of a log, and the public key that was told apart from them."""

    folder: Path
    key: str
    size: int


@pytest.fixture
def exported(make_clinic: Callable[..., Organization], tmp_path: Path) -> Exported:
    """A log of two full tiles and a part of a third, exported."""
    clinic = make_clinic()
    actor = system(clinic.id, "test")
    with acting_for(clinic.id):
        audit.record_many([NewEntry(Action.TIMELINE_READ, actor, "contact")] * 600)
    with acting_for(clinic.id):
        audit.integrate()
    with acting_for(clinic.id):
        audit.checkpoint()
    with acting_for(clinic.id):
        size = audit.export_tiles(tmp_path / "log").size
        return Exported(tmp_path / "log", audit.verifier_key(), size)


def _touch(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_a_verifier_written_from_the_specification_accepts_the_export(exported: Exported) -> None:
    assert tlog_tiles.check(exported.folder, exported.key) == exported.size > 600


def test_it_accepts_no_export_of_which_one_bit_was_turned(exported: Exported) -> None:
    files = [each for each in exported.folder.rglob("*") if each.is_file()]
    assert len(files) >= 8
    for file in files:
        before = file.read_bytes()
        _touch(file)
        with pytest.raises(Exception):  # noqa: B017  what it stumbles over first depends on the bit
            tlog_tiles.check(exported.folder, exported.key)
        file.write_bytes(before)
    (exported.folder / "tile/0/001").unlink()
    with pytest.raises(FileNotFoundError):
        tlog_tiles.check(exported.folder, exported.key)


@pytest.fixture(scope="session")
def fsck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tessera's fsck, built; without Go and its modules there is none."""
    if GO is None:
        pytest.skip("Go is not here")
    if subprocess.run(
        [GO, "mod", "download"], cwd=OUTSIDE, capture_output=True, timeout=300, check=False
    ).returncode:
        pytest.skip("the modules cannot be had here")
    program = tmp_path_factory.mktemp("outside") / "fsck"
    subprocess.run(
        [GO, "build", "-o", program, "."], cwd=OUTSIDE, check=True, capture_output=True, timeout=300
    )
    return program


def test_tesseras_fsck_accepts_the_export_and_not_a_touched_one(exported: Exported, fsck: Path) -> None:
    key = exported.folder.parent / "key"
    key.write_text(exported.key)

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [fsck, exported.folder, key], capture_output=True, text=True, timeout=60, check=False
        )

    sound = run()
    assert (sound.returncode, sound.stdout) == (0, "verified\n"), sound.stderr
    for name in ("checkpoint", "tile/0/000", "tile/entries/001"):
        before = (exported.folder / name).read_bytes()
        _touch(exported.folder / name)
        assert run().returncode == 1, name
        (exported.folder / name).write_bytes(before)
