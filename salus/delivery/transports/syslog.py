"""Sends messages to a log server: syslog over TLS (RFC 5425), each connection ended so that it says what was read.

Syslog answers nothing. What it has is the end of TLS: we say that we end, and the server ends only after it has
read all that came before (RFC 5425, 4.4). A server that cuts or is silent did not take the messages, and they
come again: at least once, each with its own id. Some servers end by closing alone; that counts when all was read,
for a server that leaves octets unread resets the connection.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from salus.delivery.protection import tls
from salus.delivery.protection.policy import Named, Shortfall

PORT = 6514
"""RFC 5425, 4.1."""
PATIENCE = 20.0
"""Seconds for one step."""


class NotTaken(Exception):
    """The messages may not have been read, at least not all; the text is a word for why."""


def send(address: str, messages: Sequence[str], at: datetime, *, patience: float = PATIENCE) -> None:
    """Send messages to `syslog+tls://host[:port]` over one connection, the server verified by its name.

    Whoever runs the clinic chose the server, so it may be on a private network. Raises `NotTaken`.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        with socket.create_connection((host, parts.port or PORT), patience) as plain:
            _send_within_tls(plain, host, messages, at)
    except TimeoutError:
        raise NotTaken("timeout") from None
    except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
        raise NotTaken("closed") from None
    except OSError:
        raise NotTaken("unreachable") from None


def frame(message: str) -> bytes:
    """Return a message with its length before it (RFC 5425, 4.3)."""
    octets = message.encode()
    return b"%d %b" % (len(octets), octets)


def _send_within_tls(plain: socket.socket, host: str, messages: Sequence[str], at: datetime) -> None:
    policy = Named()
    try:
        within = tls.client_context(policy.trust).wrap_socket(plain, server_hostname=host)
    except ssl.SSLError as fault:
        raise NotTaken(str(tls.shortfall_of(fault))) from None
    except ConnectionResetError:
        raise NotTaken(str(Shortfall.HANDSHAKE_FAILED)) from None
    with within:
        found = tls.examine(within, host, policy, at)
        if isinstance(found, Shortfall):
            raise NotTaken(str(found))
        within.sendall(b"".join(map(frame, messages)))
        _end(within)


def _end(within: ssl.SSLSocket) -> None:
    """Say that we end, and wait until the server ends too."""
    try:
        within.unwrap()
    except ssl.SSLEOFError:
        return
    except OSError as fault:
        if fault.errno != 0:  # 0 is how Python says that the other side just closed; a time-out has None
            raise
