"""How many messages a second could be signed at most: the bare library beside our signer."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ed25519, padding
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from salus.delivery.addresses import Mailbox
from salus.delivery.mime import Letter, Unsubscribe, build
from salus.delivery.protection.dkim import Signer
from salus.keys.contracts import DkimKey

SIGNED_OCTETS = 900
"""About what a signature covers: canonical headers and the signature's own field."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Messages a second, each with an RSA-2048 and an Ed25519 signature."""

    bare: float
    ours: float

    @property
    def ratio(self) -> float:
        """Return our share of what the library alone could do."""
        return self.ours / self.bare


def bare(seconds: float = 1.0, threads: int = 1) -> float:
    """Return pairs of signatures a second by the library alone, no message around them."""
    return _rate(_pair(), seconds, threads)


def rsa(seconds: float = 2.0) -> float:
    """Return bare RSA-2048 signatures a second by the library alone, on all processors of this machine."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    data, scheme, algorithm = b"x" * SIGNED_OCTETS, padding.PKCS1v15(), SHA256()
    return _rate(lambda: key.sign(data, scheme, algorithm), seconds, os.cpu_count() or 1)


def _pair() -> Callable[[], None]:
    rsa_key = generate_private_key(public_exponent=65537, key_size=2048)
    edwards = ed25519.Ed25519PrivateKey.generate()
    data, scheme, algorithm = b"x" * SIGNED_OCTETS, padding.PKCS1v15(), SHA256()

    def pair() -> None:
        rsa_key.sign(data, scheme, algorithm)
        edwards.sign(hashlib.sha256(data).digest())

    return pair


def bare_cost(rounds: int = 400) -> float:
    """Return the processor seconds of one pair of signatures: what other programs do does not count."""
    pair = _pair()
    started = time.thread_time()
    for _ in range(rounds):
        pair()
    return (time.thread_time() - started) / rounds


def ours(seconds: float = 1.0, threads: int = 1, octets: int = 6000) -> float:
    """Return messages of about `octets` a second through our signer: canonical form, hash, both signatures."""
    signer, message, at = (
        Signer("clinic.example", _keys()),
        _message(octets),
        datetime(2026, 3, 1, tzinfo=UTC),
    )
    return _rate(lambda: signer.sign(message, at), seconds, threads)


def measure(seconds: float = 1.0, threads: int = 1) -> Rates:
    """Return both rates, measured one after the other."""
    return Rates(bare(seconds, threads), ours(seconds, threads))


def _rate(act: Callable[[], object], seconds: float, threads: int) -> float:
    def work() -> int:
        count, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            act()
            count += 1
        return count

    act()
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        counts = [each.result() for each in [pool.submit(work) for _ in range(threads)]]
    return sum(counts) / (time.perf_counter() - started)


def _keys() -> tuple[DkimKey, DkimKey]:
    form = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    rsa_key = generate_private_key(public_exponent=65537, key_size=2048)
    edwards = ed25519.Ed25519PrivateKey.generate()
    return (
        DkimKey("r1", "rsa-sha256", rsa_key.private_bytes(*form), ""),
        DkimKey("e1", "ed25519-sha256", edwards.private_bytes(*form), ""),
    )


def _message(octets: int) -> bytes:
    line = '  <tr><td class="x">Your visit is on Monday at 9:30, please bring your card.</td></tr>\n'
    return build(
        Letter(
            date=datetime(2026, 3, 1, tzinfo=UTC),
            message_id="m@clinic.example",
            boundary="b0undary1234",
            sender=Mailbox("care@clinic.example", "Riverside Clinic"),
            to=Mailbox("ana@example.org"),
            subject="Your visit on Monday",
            text="Your visit is on Monday at 9:30.\n" * (octets // 5 // 34),
            html=line * (octets * 4 // 5 // len(line)),
            unsubscribe=Unsubscribe("https://clinic.example/u/abcdefghijkl"),
        )
    )
