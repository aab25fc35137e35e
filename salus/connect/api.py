"""The door of connect. `run_smtp` is for a process of its own, outside any organization."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

from salus.connect import rules, serving
from salus.identity import api as identity
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Unavailable
from salus.platform import smtp


def set_key_words(key_id: UUID, words: Mapping[str, str], *, actor: Actor) -> None:
    """Say what the messages are that the program of a key submits, where their headers do not say so.

    `words` by the short names of the headers ("purpose", "topic", "discloses"...), those that were said before
    are forgotten. Raises `BadInput` naming the word, `NotFound` for a key that is not there or not for you.
    """
    identity.set_key_words(key_id, rules.of_key(words), actor=actor)


def run_smtp(
    listen: str,
    listen_tls: str,
    host: str,
    *,
    certificate: Path,
    key: Path,
    ready: Callable[[str], None],
) -> None:
    """Take submissions until SIGTERM: `listen` ("address:port") offers STARTTLS, `listen_tls` is TLS from the start.

    `ready` is told of each in a line of text. Raises `BadInput` for a certificate that cannot be used, `Unavailable` when a port cannot be had.
    """
    try:
        tls = smtp.context(certificate, key)
    except OSError as fault:
        raise BadInput("This certificate or its key cannot be read.", place="--certificate") from fault
    try:
        asyncio.run(serving.serve(listen, listen_tls, host, tls, ready))
    except OSError as fault:
        raise Unavailable(
            "The listener cannot start.", place=str(fault.strerror or fault), next_step="Choose another port."
        ) from fault
