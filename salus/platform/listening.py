"""Asks before anything starts whether an address to listen at is free, and says who has it."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import Any

from salus.kernel.errors import BadInput, Conflict

_LISTENS = "0A"
"""The state of a socket in /proc/net/tcp (Linux, include/net/tcp_states.h)."""


def check_free(listen: str, *, place: str, next_step: str) -> None:
    """Refuse an address that cannot be listened at; "ADDRESS:PORT", port 0 is any free one.

    A web server shares its port with whoever asks for it in the same way (SO_REUSEPORT), so that a second one
    would get some of the requests and nobody would see it: we ask without sharing. Raises `BadInput` for what
    is no address of this machine, and `Conflict` that names the program that has the port, where it is known.
    """
    host, _, written = listen.rpartition(":")
    if not host or not (written.isascii() and written.isdecimal()) or int(written) > 65535:
        raise BadInput("Write ADDRESS:PORT, with a port up to 65535.", place=place)
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(written), type=socket.SOCK_STREAM)
    except OSError:
        raise BadInput(f"{host} is no address of this machine.", place=place) from None
    tried = [_fault(family, kind, protocol, address) for family, kind, protocol, _, address in found]
    faults = [fault for fault in tried if fault is not None]
    taken = [fault for fault in faults if fault.errno == errno.EADDRINUSE]
    if taken or len(faults) == len(found):  # a name may have addresses of kinds that are switched off here
        raise _refusal((taken or faults)[0], host, int(written), place, next_step)


def _fault(family: int, kind: int, protocol: int, address: Any) -> OSError | None:
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # after a stop it is free at once
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind(address)
        except OSError as fault:
            return fault
    return None


def _refusal(fault: OSError, host: str, port: int, place: str, next_step: str) -> Exception:
    if fault.errno == errno.EADDRINUSE:
        holder = holder_of(port) or "another program"
        return Conflict(f"Port {port} is taken by {holder}.", place=place, next_step=next_step)
    if fault.errno == errno.EACCES:
        return BadInput(
            f"This user may not listen at port {port}.",
            place=place,
            next_step="Take a port of 1024 or more, or give it CAP_NET_BIND_SERVICE.",
        )
    return BadInput(f"{host} is no address of this machine.", place=place)


def holder_of(port: int) -> str:
    """Return who listens at a port ("nginx, process 812"); empty where we may not see it."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    for process in Path("/proc").glob("[0-9]*") if sockets else ():
        try:
            if sockets.isdisjoint(str(each.readlink()) for each in (process / "fd").iterdir()):
                continue
            words = (process / "cmdline").read_bytes().split(b"\0")
            name = (process / "comm").read_text().strip()
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
        return f"{'another Salus' if b'salus.wiring' in words else name}, process {process.name}"
    return ""


def _listening(port: int) -> set[str]:
    """Return the inodes of sockets that listen at a port."""
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            rows = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            _, local, _, state, *rest = row.split()
            if state == _LISTENS and int(local.rpartition(":")[2], 16) == port:
                found.add(rest[5])
    return found
