"""The one look-up before a tenant is known: who has this e-mail address, which organizations are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def before_tenant() -> Iterator[None]:
    """Let organization and user rows be read (never written) without a tenant, until the block ends.

    The policies of these tables show nothing otherwise, so a forgotten context reads as absent. The
    setting is local to the transaction; an exception undoes it together with the savepoint.
    """
    with transaction.atomic():
        _open("on")
        yield
        _open("")


def _open(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('salus.before_tenant', %s, true)", [value])
