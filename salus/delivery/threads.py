"""Database work from an event loop: in a few threads, where a connection that broke is dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connections

T = TypeVar("T")


class Threads:
    """Some threads for functions that use the database."""

    def __init__(self, count: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix=name)

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return what `function` returns, run in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _run, function, *arguments)

    def end(self) -> None:
        """Wait for what is under way, and take on nothing more."""
        self._pool.shutdown(wait=True)


def _run(function: Callable[..., T], *arguments: Any) -> T:
    """Run `function`; after a fault, a connection that is of no use is closed, so that the next use makes another."""
    try:
        return function(*arguments)
    except Exception:
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()
        raise
