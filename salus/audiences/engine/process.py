"""Starts the engine of this installation: which organizations, which secret, which folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from django.conf import settings

from salus.audiences import client, wire
from salus.audiences.engine.server import Server, serve_until_signal
from salus.identity import api as identity
from salus.kernel.errors import BadInput
from salus.keys import api as keys


def run(socket_path: Path | None, directory: Path, shard: int) -> None:
    """Serve the organizations of `shard` until SIGTERM or SIGINT; raises `BadInput` for one that is not there."""
    shards = getattr(settings, "SALUS_AUDIENCE_SHARDS", 1)
    if not 0 <= shard < shards:
        raise BadInput(f"There are shards 0 to {shards - 1}.", place="--shard")

    def organizations() -> Iterable[UUID]:
        return [one.id for one in identity.organizations() if wire.shard_of(one.id, shards) == shard]

    server = Server(
        socket_path or wire.socket_path(directory, shard),
        directory,
        keys.local_secret(client.TOKEN),
        organizations,
    )
    serve_until_signal(server)
