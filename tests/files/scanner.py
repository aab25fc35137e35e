"""Virus scanners for tests: a peer that knows clamd's words, and Debian's clamd itself with signatures of our own."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CLAMD = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
MARKER = b"kestrel-lantern-not-a-virus"
"""What our own signature is of."""


class Scanner:
    """A peer that knows clamd's INSTREAM: it keeps what it was given, and answers as it is told."""

    def __init__(self, folder: Path, answer: bytes, *, takes: int = 1 << 30) -> None:
        self.path, self.answer, self.takes = folder / "clamd.ctl", answer, takes
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
                if heard.read(10) == b"zINSTREAM\0":
                    self._take(peer, heard)

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
def clamd(folder: Path) -> Iterator[Path]:
    """Run clamd with one signature, of `MARKER`; yield its socket."""
    if CLAMD is None:
        pytest.fail("clamd is not installed: ./test installs it")
    signatures, path, configured = folder / "signatures", folder / "clamd.ctl", folder / "clamd.conf"
    signatures.mkdir()
    (signatures / "ours.ndb").write_text(f"Salus.Test:0:*:{MARKER.hex()}\n")
    configured.write_text(
        f"DatabaseDirectory {signatures}\nLocalSocket {path}\nForeground yes\nTemporaryDirectory {folder}\n"
    )
    with subprocess.Popen([CLAMD, "-c", str(configured)], stdout=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 60
            while not path.exists() and time.monotonic() < until and process.poll() is None:
                time.sleep(0.05)
            yield path
        finally:
            process.terminate()
