"""Debian's unbound for tests: a resolver on loopback that validates, over zones that the test signs itself."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.dnssec
import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.zone
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from dns.dnssectypes import Algorithm
from dns.rdtypes.ANY.DNSKEY import DNSKEY

UNBOUND = shutil.which("unbound") or shutil.which("unbound", path="/usr/sbin")
HEAD = "@ 300 IN SOA ns hostmaster 1 7200 3600 1209600 300\n@ 300 IN NS ns\nns 300 IN A 198.41.0.4\n"


@dataclass(frozen=True)
class Zone:
    """A zone: its records below `HEAD`; signed, or not, or with signatures of a key that nobody trusts."""

    name: str
    records: Sequence[str]
    signed: bool = True
    bogus: bool = False


@contextmanager
def validating(folder: Path, zones: Sequence[Zone]) -> Iterator[int]:
    """Run unbound with these zones; yield its port."""
    if UNBOUND is None:
        pytest.fail("unbound is not installed: ./test installs it")
    port = _free_port()
    lines = [
        "server:",
        f'  directory: "{folder}"',
        '  username: ""',
        '  chroot: ""',
        f'  pidfile: "{folder}/unbound.pid"',
        "  use-syslog: no",
        "  interface: 127.0.0.1",
        f"  port: {port}",
        "  num-threads: 1",
        '  module-config: "validator iterator"',
        "  do-ip6: no",
        '  local-zone: "test." nodefault',
        *(f'  trust-anchor: "{_write(folder, zone)}"' for zone in zones if zone.signed),
        *(f'  domain-insecure: "{zone.name}"' for zone in zones if not zone.signed),
    ]
    for zone in zones:
        if not zone.signed:
            _write(folder, zone)
        lines += ["auth-zone:", f'  name: "{zone.name}"', f'  zonefile: "{folder}/{zone.name}.zone"']
        lines += ["  for-downstream: no", "  for-upstream: yes", "  fallback-enabled: no"]
    (folder / "unbound.conf").write_text("\n".join([*lines, "remote-control:", "  control-enable: no\n"]))
    log = (folder / "unbound.log").open("wb")
    server = subprocess.Popen([UNBOUND, "-d", "-c", str(folder / "unbound.conf")], stdout=log, stderr=log)
    try:
        _wait(server, port, zones[0].name, folder)
        yield port
    finally:
        server.terminate()
        server.wait(10)
        log.close()


def _write(folder: Path, zone: Zone) -> str:
    """Write a zone's file; return its key as a trust anchor."""
    made = dns.zone.from_text(HEAD + "\n".join(zone.records) + "\n", origin=f"{zone.name}.", relativize=False)
    anchor = ""
    if zone.signed:
        key, public = _key()
        now = datetime.now(UTC)
        with made.writer() as transaction:
            dns.dnssec.sign_zone(
                made,
                transaction,
                keys=[(key, public)],
                add_dnskey=True,
                dnskey_ttl=300,
                inception=now - timedelta(hours=1),
                expiration=now + timedelta(days=2),
            )
        trusted = _key()[1] if zone.bogus else public
        anchor = f"{zone.name}. 300 IN DNSKEY {trusted.to_text()}"
    made.to_file(str(folder / f"{zone.name}.zone"), relativize=False)
    return anchor


def _key() -> tuple[ec.EllipticCurvePrivateKey, DNSKEY]:
    key = ec.generate_private_key(ec.SECP256R1())
    return key, dns.dnssec.make_dnskey(key.public_key(), Algorithm.ECDSAP256SHA256, flags=257)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(server: subprocess.Popen[bytes], port: int, name: str, folder: Path) -> None:
    question = dns.message.make_query(f"{name}.", dns.rdatatype.SOA)
    for _ in range(100):
        if server.poll() is not None:
            break
        try:
            dns.query.udp(question, "127.0.0.1", port=port, timeout=0.1)
        except (dns.exception.Timeout, OSError):
            time.sleep(0.05)
            continue
        return
    pytest.fail(f"unbound does not answer: {(folder / 'unbound.log').read_text()[-2000:]}")
