"""Virus scanners for tests: a peer that knows clamd's words, and Debian's clamd itself with signatures of our own."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import socket
import struct
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

CLAMD = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
MARKER = b"kestrel-lantern-not-a-virus"
"""What our own signature is of."""


class Scanner:
    """A peer that knows clamd's words: it keeps what it was given, and answers as it is told."""

    def __init__(
        self,
        folder: Path,
        answer: bytes,
        *,
        takes: int = 1 << 30,
        pong: bytes = b"PONG\0",
        version: bytes = b"ClamAV 1.4.6\0",
    ) -> None:
        self.path, self.answer, self.takes = folder / "clamd.ctl", answer, takes
        self.words = {b"zPING": pong, b"zVERSION": version}
        self.seen: list[bytes] = []
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(self.path))
        self._listening.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listening.accept()
            except OSError:
                return
            with peer, peer.makefile("rb") as heard:
                word = b"".join(iter(lambda: heard.read(1).strip(b"\0"), b""))
                if word == b"zINSTREAM":
                    self._take(peer, heard)
                else:
                    peer.sendall(self.words.get(word, b"UNKNOWN COMMAND\0"))

    def _take(self, peer: socket.socket, heard: Any) -> None:
        data = b""
        while head := heard.read(4):
            (size,) = struct.unpack("!I", head)
            if not size:
                self.seen.append(data)
                peer.sendall(self.answer)
                return
            data += heard.read(size)
            if len(data) > self.takes:
                peer.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)


@contextmanager
def clamd(folder: Path, *, daily: datetime | None = None) -> Iterator[Path]:
    """Run clamd with one signature, of `MARKER`, as if it were ClamAV's of the day `daily`; yield its socket."""
    if CLAMD is None:
        pytest.fail("clamd is not installed: ./test installs it")
    signatures, path, configured = folder / "signatures", folder / "clamd.ctl", folder / "clamd.conf"
    signatures.mkdir()
    ours = f"Salus.Test:0:*:{MARKER.hex()}\n".encode()
    if daily:
        (signatures / "daily.cud").write_bytes(_unsigned("daily.ndb", ours, daily))
    else:
        (signatures / "ours.ndb").write_bytes(ours)
    configured.write_text(
        f"DatabaseDirectory {signatures}\nLocalSocket {path}\nForeground yes\nTemporaryDirectory {folder}\n"
    )
    utc = {**os.environ, "TZ": "UTC"}
    with subprocess.Popen(
        [CLAMD, "-c", str(configured)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=utc
    ) as process:
        try:
            until = time.monotonic() + 60
            while not _listens(path) and time.monotonic() < until and process.poll() is None:
                time.sleep(0.05)
            yield path
        finally:
            process.terminate()


def _listens(path: Path) -> bool:
    """Return whether somebody takes connections there: the socket is there a moment before."""
    with socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(str(path)) == 0


def _unsigned(name: str, signatures: bytes, made: datetime) -> bytes:
    """Return a database that ClamAV reads without a signature of its makers: a head, and a tar of what it lists."""
    stamp = f"{made.astimezone(UTC):%d %b %Y %H-%M +0000}"
    head = f"ClamAV-VDB:{stamp}:27500:1:90:X:X:us:{int(made.timestamp())}"
    listed = f"{head}\n{name}:{len(signatures)}:{hashlib.sha256(signatures).hexdigest()}\n".encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for each, data in ((f"{name.partition('.')[0]}.info", listed), (name, signatures)):
            entry = tarfile.TarInfo(each)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return head.encode().ljust(512) + packed.getvalue()
