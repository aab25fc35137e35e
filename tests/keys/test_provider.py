"""The key file: made once, read by its owner only, never replaced, and every refusal says what to do."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from salus.kernel.errors import BadInput, Unavailable
from salus.keys import local
from salus.keys.provider import KEY_FILE, FileKeyProvider, file_provider


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def mine(folder: Path) -> Iterator[Path]:
    """Local secrets of this test, not of the session."""
    before = local._ports
    local.configure(file_provider(folder), folder)
    yield folder
    local._ports = before


def test_the_file_is_made_for_its_owner_alone_and_used_again(folder: Path) -> None:
    first = file_provider(folder)
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    wrapped = first.wrap(b"a key", b"place")
    second = file_provider(folder)
    assert second.name() == first.name()
    assert second.unwrap(wrapped, b"place") == b"a key"
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]


def test_what_is_wrapped_opens_only_whole_and_in_its_place(folder: Path) -> None:
    provider = file_provider(folder)
    wrapped = provider.wrap(b"a key", b"place")
    assert b"a key" not in wrapped
    for bent, place in (
        (wrapped, b"elsewhere"),
        (wrapped[:-1], b"place"),
        (b"", b"place"),
        (wrapped + b"x", b"place"),
    ):
        with pytest.raises(BadInput):
            provider.unwrap(bent, place)
    with pytest.raises(BadInput):
        file_provider(folder / "other").unwrap(wrapped, b"place")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(folder: Path, mode: int) -> None:
    file_provider(folder)
    (folder / KEY_FILE).chmod(mode)
    with pytest.raises(Unavailable, match="chmod 600") as refusal:
        file_provider(folder)
    assert f"{mode:o}" in str(refusal.value)
    (folder / KEY_FILE).chmod(0o600)
    file_provider(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(folder: Path) -> None:
    file_provider(folder)
    os.chown(folder / KEY_FILE, 65534, 65534)
    with pytest.raises(Unavailable, match="another user"):
        file_provider(folder)


def test_a_link_or_a_folder_in_its_place_is_refused(folder: Path, tmp_path: Path) -> None:
    file_provider(folder)
    elsewhere = tmp_path / "elsewhere.json"
    (folder / KEY_FILE).rename(elsewhere)
    (folder / KEY_FILE).symlink_to(elsewhere)
    with pytest.raises(Unavailable, match="no link"):
        file_provider(folder)
    (folder / KEY_FILE).unlink()
    (folder / KEY_FILE).mkdir()
    with pytest.raises(Unavailable):
        file_provider(folder)


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b"\xff\xfe", b'{"key": []}'])
def test_a_damaged_file_is_refused_and_not_written_over(folder: Path, content: bytes) -> None:
    file_provider(folder)
    (folder / KEY_FILE).write_bytes(content)
    with pytest.raises(Unavailable, match="backup"):
        file_provider(folder)
    assert (folder / KEY_FILE).read_bytes() == content


def test_a_lost_file_is_not_replaced_while_secrets_sealed_with_it_are_there(mine: Path) -> None:
    local.local_secret("engine")
    (mine / KEY_FILE).unlink()
    with pytest.raises(Unavailable, match="missing"):
        file_provider(mine)
    assert not (mine / KEY_FILE).exists()


def test_of_many_that_start_at_once_all_use_the_same_key(folder: Path) -> None:
    barrier = threading.Barrier(8)

    def start() -> str:
        barrier.wait(10)
        return file_provider(folder).name()

    with ThreadPoolExecutor(8) as pool:
        names = {future.result(10) for future in [pool.submit(start) for _ in range(8)]}
    assert len(names) == 1
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]


def test_the_file_is_a_keyset_that_can_hold_an_old_key_beside_a_new_one(folder: Path) -> None:
    import json

    old = file_provider(folder)
    wrapped = old.wrap(b"a key", b"place")
    file_provider(folder / "new")
    new = json.loads((folder / "new" / KEY_FILE).read_text())
    new["key"] += json.loads((folder / KEY_FILE).read_text())["key"]
    (folder / KEY_FILE).write_text(json.dumps(new))
    both = FileKeyProvider(folder / KEY_FILE)
    assert both.name() != old.name()
    assert both.unwrap(wrapped, b"place") == b"a key"
    with pytest.raises(BadInput):
        old.unwrap(both.wrap(b"a key", b"place"), b"place")


def test_a_local_secret_is_made_once_sealed_and_told_apart_by_name(mine: Path) -> None:
    first = local.local_secret("engine")
    assert len(first) == 32
    assert local.local_secret("engine") == first
    assert local.local_secret("other") != first
    assert local.local_secret("made", lambda: b"by me") == b"by me"
    assert local.local_secret("made", lambda: b"again") == b"by me"
    file = mine / "engine.sealed"
    assert file.stat().st_mode & 0o777 == 0o600
    assert first not in file.read_bytes()
    (mine / "engine.sealed").rename(mine / "stolen.sealed")
    with pytest.raises(BadInput):
        local.local_secret("stolen")


@pytest.mark.parametrize("name", ["", "../up", "A", "a b", "a/b", "x" * 80])
def test_a_secret_has_a_plain_name(mine: Path, name: str) -> None:
    with pytest.raises(ValueError):
        local.local_secret(name)


def test_without_a_provider_nothing_works_and_the_error_says_so(mine: Path) -> None:
    local._ports = None
    with pytest.raises(Unavailable, match="No key provider"):
        local.local_secret("engine")


def test_local_secrets_need_no_django(folder: Path) -> None:
    import subprocess
    import sys

    program = (
        "from pathlib import Path; from salus.keys import api as keys; import sys; folder = Path(sys.argv[1]); "
        "keys.configure(keys.file_provider(folder), folder); assert len(keys.local_secret('database')) == 32"
    )
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True, env=environment)
