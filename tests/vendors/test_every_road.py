"""Every road to the outside is known here, and asks the register before it goes: a new one fails until it does."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import salus

ROOT = Path(salus.__file__).parent
OPENERS = {"open_connection", "create_connection", "create_datagram_endpoint", "urlopen", "socket"}
CLIENTS = {
    "botocore",
    "boto3",
    "httpx",
    "requests",
    "smtplib",
    "http.client",
    "paramiko",
    "asyncssh",
    "aiohttp",
}

ROADS = {
    "delivery/transports/session.py": ["delivery/routing.py"],
    "delivery/transports/outside.py": [
        "delivery/asking.py",
        "delivery/call_turns.py",
        "delivery/reporting.py",
    ],
    "delivery/transports/syslog.py": ["delivery/witnessing.py"],
    "keys/kms.py": ["keys/kms.py"],
    "keys/transit.py": ["keys/transit.py"],
}
"""Who opens a connection to somebody's service, and who asks the register for it."""
HERE = {
    "audiences/client.py": "the engine, over a socket of this machine",
    "audiences/engine/server.py": "the engine itself",
    "delivery/transports/local.py": "is an address one of this machine's? Nothing is sent",
    "files/scanning.py": "the virus scanner, over a socket of this machine",
    "platform/listening.py": "is a port of this machine free?",
    "wiring/installation.py": "does our own server answer?",
}
"""Who opens a connection that does not leave the machine."""
QUESTIONS = ("outbound.ask(", "outbound.ask_everywhere(", "vendors.service_in_scope(")


def opens_connections(path: Path) -> bool:
    """Tell whether a module names something that opens connections."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in OPENERS:
                return True
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if any(name == client or name.startswith(f"{client}.") for name in names for client in CLIENTS):
            return True
    return False


def test_nobody_opens_a_connection_whom_this_table_does_not_know() -> None:
    found = {str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py") if opens_connections(path)}
    assert found - set(ROADS) - set(HERE) == set(), (
        "Ask the vendor register first (docs/vendors.md), then name the module and who asks here."
    )


@pytest.mark.parametrize("asker", sorted(set().union(*ROADS.values())))
def test_each_road_asks_the_register(asker: str) -> None:
    assert any(question in (ROOT / asker).read_text() for question in QUESTIONS)
