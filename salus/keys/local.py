"""Secrets of this machine that are needed before, or outside, the database: sealed files."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from salus.kernel.errors import Unavailable
from salus.keys.contracts import AWS_KMS, VAULT, KeyProvider
from salus.keys.provider import read_private, write_private

_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}\Z")


@dataclass(frozen=True, slots=True)
class Ports:
    """What wiring gives: who wraps keys, and the folder of local secrets."""

    provider: KeyProvider
    directory: Path


_ports: Ports | None = None


def configure(provider: KeyProvider, directory: Path) -> None:
    """Set the provider and the folder for this process."""
    global _ports
    _ports = Ports(provider, directory)


def ports() -> Ports:
    """Return what `configure` was given; raises `Unavailable` before it."""
    if _ports is None:
        raise Unavailable("No key provider is configured.", next_step="Start Salus through its command line.")
    return _ports


def provider_of(name: str) -> KeyProvider:
    """Return who unwraps what is marked `name`, and wraps what is to go there; raises `BadInput`, `Unavailable`.

    Whatever is not another provider's is the key file's: it may hold the key under a name it had before.
    """
    if name.startswith(AWS_KMS):
        from salus.keys import kms  # its library takes a third of a second: only those who use it wait

        return kms.provider(name)
    if name.startswith(VAULT):
        from salus.keys import transit

        return transit.provider(name)
    return ports().provider


def local_secret(name: str, make: Callable[[], bytes] = lambda: secrets.token_bytes(32)) -> bytes:
    """Return this machine's secret `name`, made by `make` on first use and kept sealed, mode 0600."""
    if not _NAME.match(name):
        raise ValueError("the name of a local secret is lower-case letters, digits and dashes")
    present = ports()
    path = present.directory / f"{name}.sealed"
    context = b"salus/local/" + name.encode()
    if not path.exists():
        write_private(path, present.provider.wrap(make(), context))
    return present.provider.unwrap(read_private(path), context)
