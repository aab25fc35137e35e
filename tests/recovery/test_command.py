"""`salus backup` and `salus restore` as people meet them; and whose disk backups may go to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from salus.kernel.outbound import OutOfScope, ServiceKind, Why
from salus.platform import outbound
from salus.recovery import api as recovery
from salus.recovery import places
from salus.recovery.contracts import Site
from salus.wiring.cli import main
from salus.wiring.progress import Line, size

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:50 / /mnt/clinic\\040share rw,relatime - nfs4 vault.example:/clinic rw
41 22 0:51 / /mnt/bucket rw,relatime - fuse.s3fs s3fs rw
42 40 8:1 / /mnt/clinic\\040share/stick rw - vfat /dev/sdb1 rw
"""


@pytest.fixture
def here(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The installation of the tests, as the command line finds it."""
    monkeypatch.setenv("SALUS_HOME", str(site.home))
    monkeypatch.delenv("SALUS_BACKUP", raising=False)
    return site


def test_backups_are_made_listed_held_and_removed(
    here: Site, clinic: UUID, vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--directory", str(vault)]
    assert main(["backup", *place]) == 0
    assert main(["backup", "--base", *place]) == 0
    assert "brings back" in capsys.readouterr().out
    assert main(["backup", "hold", "--reason", "a request of the court", *place]) == 0
    hold = capsys.readouterr().out.partition(":")[0]
    assert main(["backup", "prune", "--daily", "1", "--weekly", "0", "--monthly", "0", *place]) == 0
    assert "legal hold: nothing is removed" in capsys.readouterr().out
    assert main(["backup", "list", *place]) == 0
    assert "a request of the court" in capsys.readouterr().out
    assert main(["backup", "release", hold, *place]) == 0
    assert main(["backup", "prune", "--daily", "1", "--weekly", "0", "--monthly", "0", *place]) == 0
    assert "was removed" in capsys.readouterr().out
    assert len(recovery.backups(vault)) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["backup"], 2, "Say where the backups are."),
        (["restore"], 2, "Say where the backups are."),
        (["backup", "list", "--directory", "/nowhere"], 2, "no backups of Salus"),
        (["backup", "--every", "0.5", "--directory", "/nowhere"], 2, "At most once a second"),
        (["backup", "prune", "--daily", "-1", "--directory", "/nowhere"], 2, "at least one backup"),
    ],
)
def test_what_is_asked_wrongly_is_told_so(
    arguments: list[str], code: int, said: str, here: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("to", "said"), [("yesterday", "write it as"), ("2026-11-24T08:00:00", "say the zone")]
)
def test_a_moment_has_a_zone(to: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["restore", "--directory", "/nowhere", "--to", to])
    assert said in capsys.readouterr().err


def test_it_goes_on_until_it_is_told_to_end(here: Site, clinic: UUID, vault: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "salus.wiring", "backup", "--every", "1", "--directory", str(vault)],
        env={**os.environ, "SALUS_HOME": str(here.home)},
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while len(list(vault.glob("*/wal/[0-9]*"))) < 3:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("directory", "elsewhere"),
    [
        ("/var/backups", False),
        ("/mnt/clinic share/salus", True),
        ("/mnt/clinic share/stick/salus", False),
        ("/mnt/bucket", True),
        ("/mnt/buckets", False),
    ],
)
def test_a_disk_of_another_machine_is_known(directory: str, elsewhere: bool, tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert places.is_elsewhere(Path(directory), mounts) is elsewhere


def test_nothing_goes_to_a_disk_of_somebody_unnamed(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    with pytest.raises(OutOfScope, match="Register the service under Vendors"):
        places.ask(Path("/mnt/bucket/salus"), "", NOW, mounts)
    places.ask(Path("/var/backups"), "", NOW, mounts)


def test_a_service_that_is_not_registered_gets_no_backup(here: Site, clinic: UUID, vault: Path) -> None:
    with pytest.raises(OutOfScope) as refused:
        recovery.back_up(here, vault, service="sftp://vault.example/clinic")
    assert refused.value.why is Why.UNKNOWN
    assert not vault.exists()


def test_the_register_is_asked_for_the_service_that_was_named(
    here: Site, clinic: UUID, vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(
        outbound, "ask_everywhere", lambda kind, address, *, at: asked.append((kind, address))
    )
    recovery.back_up(here, vault, service="sftp://vault.example/clinic")
    assert asked == [(ServiceKind.BACKUP, "sftp://vault.example/clinic")]


def test_sizes_are_words() -> None:
    assert [size(each) for each in (12, 1_400, 2_500_000_000, 640_000_000_000)] == [
        "12 bytes",
        "1.4 kB",
        "2.5 GB",
        "640 GB",
    ]


def test_progress_is_for_terminals(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line()
    line("Cluster", 1, 2)
    line.end()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    line = Line()
    line("Cluster", 15_000_000, 30_000_000)
    line("Verifying", 0, 0)
    line.end()
    assert "[###############               ] 15.0 MB of 30.0 MB" in capsys.readouterr().err
