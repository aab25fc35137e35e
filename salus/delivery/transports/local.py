"""Whether an address is one of this machine: something can be bound to it. Nothing is sent."""

from __future__ import annotations

import socket


def is_ours(address: str) -> bool:
    """Tell whether mail could leave from this address here."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
