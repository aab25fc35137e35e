"""Has files scanned for viruses where a scanner of this machine is set: clamd, by its word INSTREAM on a local socket (clamd(8))."""

from __future__ import annotations

import logging
import socket
import struct
from contextlib import suppress
from datetime import UTC, datetime

from django.conf import settings

from salus.files.contracts import FileRefused, Scanner, Why

log = logging.getLogger(__name__)

SECONDS = 60.0
"""For so long an answer is waited for: a scanner looks into what is packed."""
SOON = 5.0
"""For so long, where nothing has to be scanned."""
LONGEST = 1024
"""Octets of an answer."""


def scan() -> Scan | None:
    """Return what sees one file while it comes in; None where no scanner is set."""
    return Scan(settings.SALUS_CLAMD) if settings.SALUS_CLAMD else None


def scanner() -> Scanner | None:
    """Ask the scanner that is set whether it is there, and of when its signatures are; None where none is set."""
    path = settings.SALUS_CLAMD
    if not path:
        return None
    try:
        if _asked(path, b"PING") != "PONG":
            return Scanner(answers=False)
        return Scanner(answers=True, signatures=_signatures(_asked(path, b"VERSION")))
    except OSError:
        return Scanner(answers=False)


class Scan:
    """One file on its way through the scanner at the socket `path`; nothing of it is written down on the way.

    A scanner that is set and does not answer as it should lets nothing through.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket: socket.socket | None = None

    def feed(self, data: bytes) -> None:
        """Pass more bytes on; raises `FileRefused`."""
        if not data:
            return
        try:
            self._connected().sendall(struct.pack("!I", len(data)) + data)
        except OSError as fault:
            raise self._not_scanned(type(fault).__name__) from None

    def end(self) -> None:
        """Hear what the scanner says of the whole file; raises `FileRefused` unless that is good."""
        try:
            self._connected().sendall(struct.pack("!I", 0))
            answer = _answer(self._connected())
        except OSError as fault:
            raise self._not_scanned(type(fault).__name__) from None
        finally:
            self.close()
        if answer == "stream: OK":
            return
        if answer.startswith("stream: ") and answer.endswith(" FOUND"):
            log.warning("a file is not taken: the virus scanner knows what is in it")
            raise FileRefused(Why.INFECTED)
        raise self._not_scanned("another answer")

    def close(self) -> None:
        """Give the scanner up."""
        if self._socket:
            with suppress(OSError):
                self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(SECONDS)
            self._socket.connect(self._path)
            self._socket.sendall(b"zINSTREAM\0")
        return self._socket

    def _not_scanned(self, why: str) -> FileRefused:
        self.close()
        log.error("a file is not taken: the virus scanner (SALUS_CLAMD) does not answer: %s", why)
        return FileRefused(Why.NOT_SCANNED)


def _answer(peer: socket.socket) -> str:
    """Return what the scanner says; empty when it does not end it as it should."""
    heard = b""
    while b"\0" not in heard and len(heard) < LONGEST:
        more = peer.recv(LONGEST)
        if not more:
            break
        heard += more
    text, ended, _ = heard.partition(b"\0")
    return text.decode("ascii", "replace") if ended else ""


def _asked(path: str, word: bytes) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(SOON)
        peer.connect(path)
        peer.sendall(b"z" + word + b"\0")
        return _answer(peer)


def _signatures(version: str) -> datetime | None:
    """Return the date in "ClamAV 1.4.6/27500/Mon Nov 16 00:58:01 2026": in clamd's own time zone, which it does not name."""
    try:
        return datetime.strptime(version.split("/")[2], "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except (IndexError, ValueError):
        return None
