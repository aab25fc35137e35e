"""An address to listen at is asked before anything starts: free, taken (and by whom), or not ours."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from salus.kernel.errors import BadInput, Conflict
from salus.platform import listening
from salus.platform.listening import check_free, holder_of

SHARING = """
import socket, sys
held = socket.socket()
held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
held.bind(("127.0.0.1", 0))
held.listen()
print(held.getsockname()[1], flush=True)
sys.stdin.read()
"""


def ask(listen: str) -> None:
    check_free(listen, place="SALUS_HTTP", next_step="Stop it.")


@contextmanager
def somebody(*words: str) -> Iterator[tuple[int, int]]:
    """Have a program share a port as our web server does; yield its process and the port."""
    with subprocess.Popen(
        [sys.executable, "-c", SHARING, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout and child.stdin  # noqa: PT018
        yield child.pid, int(child.stdout.readline())
        child.stdin.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_port_that_would_be_shared_is_refused_with_who_has_it(host: str) -> None:
    with somebody() as (pid, port):
        with pytest.raises(Conflict) as refused:
            ask(f"{host}:{port}")
        said = str(refused.value)
        assert said.startswith(f"SALUS_HTTP: Port {port} is taken by python")
        assert said.endswith(f", process {pid}. Stop it.")
    ask(f"{host}:{port}")


def test_another_salus_is_called_so() -> None:
    with somebody("salus.wiring") as (pid, port):
        assert holder_of(port) == f"another Salus, process {pid}"
    assert holder_of(port) == ""


def test_after_a_connection_a_port_is_free_at_once() -> None:
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as there:
            held.accept()[0].close()  # we close first: the port rests with us
            assert there.recv(1) == b""
    ask(f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    "listen", ["127.0.0.1", ":80", "127.0.0.1:65536", "127.0.0.1:x", "127.0.0.1:\u00b2", ""]
)
def test_what_is_no_address_with_a_port_is_refused(listen: str) -> None:
    with pytest.raises(BadInput, match="Write ADDRESS:PORT") as refused:
        ask(listen)
    assert refused.value.place == "SALUS_HTTP"


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(BadInput, match="is no address of this machine"):
        ask(f"{host}:0")


def test_any_free_port_will_do() -> None:
    ask("127.0.0.1:0")


def test_a_port_that_only_root_may_take_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_fault", lambda *_: OSError(errno.EACCES, "Permission denied"))
    with pytest.raises(BadInput, match="This user may not listen at port 25") as refused:
        ask("127.0.0.1:25")
    assert "CAP_NET_BIND_SERVICE" in refused.value.next_step
