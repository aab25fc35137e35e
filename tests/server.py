"""A PostgreSQL server as a clinic's own administrator would give one: Debian's programs, TCP, SCRAM, and its own order of letters."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from salus.platform import postgres

OLDEST = 15


def programs() -> Path:
    """Return the folder of the oldest PostgreSQL that Debian has installed here and that Salus serves."""
    found = [each for each in Path("/usr/lib/postgresql").glob("*/bin") if (each / "initdb").exists()]
    fit = sorted((int(each.parent.name), each) for each in found if int(each.parent.name) >= OLDEST)
    assert fit, "PostgreSQL 15 or newer is not installed: ./test --server debian does it"
    return fit[0][1]


@contextmanager
def debian_server(folder: Path, tools: Path | None = None) -> Iterator[str]:
    """Run a server of our own below `folder`, and yield the administrator's address of it.

    `tools` are the programs to use instead of Debian's; these order letters as C does.
    """
    user = postgres.system_user()
    as_user: dict[str, Any] = (
        {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user is not None else {}
    )
    base = folder / "server"
    base.mkdir(mode=0o700)
    password = secrets.token_hex(16)
    (base / "password").write_text(password)
    if user is not None:
        for each in (base, base / "password"):
            os.chown(each, user.pw_uid, user.pw_gid)
    data, port = base / "data", _free_port()
    given = ["--encoding=UTF8", "--no-sync", "--locale=C.UTF-8"]
    given += ["--locale-provider=icu", "--icu-locale=en-US"] if tools is None else []
    tools = tools or programs()
    subprocess.run(
        [
            tools / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            f"--pwfile={base / 'password'}",
            "-A",
            "scram-sha-256",
            *given,
        ],
        check=True,
        capture_output=True,
        cwd=base,
        **as_user,
    )
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": 120,
        "shared_buffers": "256MB",
        "fsync": "off",
        "jit": "off",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [tools / "postgres", "-D", data, *options], stdout=log, stderr=log, cwd=base, **as_user
        )
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/salus"
    try:
        _wait(server, url.removesuffix("salus") + "postgres")
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _wait(server: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with psycopg.connect(url, connect_timeout=5):
                return
        except psycopg.OperationalError:
            assert server.poll() is None, "the server did not start"
            assert time.monotonic() < until, "the server did not answer"
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
