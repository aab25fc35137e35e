"""TLS of yesterday over a connection: it says in an alert why it fails, which the event loop's own does not."""

from __future__ import annotations

import asyncio
import ssl


class OutdatedTls:
    """A TLS server between a transport and a protocol; `feed` what came, `write` what goes."""

    def __init__(self, wire: asyncio.Transport, context: ssl.SSLContext) -> None:
        self._wire = wire
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established = False

    def feed(self, data: bytes) -> bytes:
        """Take octets from the wire, return what they say. Raises `ssl.SSLError`, its alert sent."""
        self._incoming.write(data)
        said = bytearray()
        try:
            if not self.established:
                self.object.do_handshake()
                self.established = True
            while octets := self.object.read(65536):
                said += octets
        except ssl.SSLWantReadError:
            pass
        finally:
            self._flush()
        return bytes(said)

    def write(self, data: bytes) -> None:
        """Send octets."""
        self.object.write(data)
        self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending and not self._wire.is_closing():
            self._wire.write(self._outgoing.read())
