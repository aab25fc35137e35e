"""Counts failed sign-ins and pauses them, in the database, so that every process sees the same count."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from salus.identity import rules
from salus.identity.rules import GuardKind

_RESERVE = """
INSERT INTO identity_guard AS guard (key, failures, last_at) VALUES (%(key)s, 1, %(now)s)
ON CONFLICT (key) DO UPDATE SET
    failures = CASE WHEN guard.last_at < %(forget)s THEN 1 ELSE guard.failures + 1 END, last_at = %(now)s
WHERE guard.paused_until IS NULL OR guard.paused_until <= %(now)s
RETURNING failures
"""


class Paused(Exception):
    """An account or a network has to wait; the person is told the same as for every failure."""


def reserve(kind: GuardKind, value: str, now: datetime) -> bool:
    """Count one try before it is made; return whether, if it fails, a pause begins with it.

    Counting first means that a hundred tries at the same moment are a hundred, not one. Raises
    `Paused` during a pause; tries in a pause are not counted, so nobody can prolong it.
    """
    key = _key(kind, value)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_RESERVE, {"key": key, "now": now, "forget": now - rules.FORGET_AFTER})
        row = cursor.fetchone()
        if row is None:
            raise Paused
        pause = rules.pause_after(kind, int(row[0]))
        if pause is not None:
            cursor.execute("UPDATE identity_guard SET paused_until = %s WHERE key = %s", [now + pause, key])
    return pause is not None


def release(kind: GuardKind, value: str) -> None:
    """Take back the last `reserve`: the try did not fail."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE identity_guard SET failures = greatest(failures - 1, 0), "
            "paused_until = CASE WHEN failures %% %s = 0 THEN NULL ELSE paused_until END WHERE key = %s",
            [rules.TRIES[kind], _key(kind, value)],
        )


def clear(kind: GuardKind, value: str) -> None:
    """Forget the failures: somebody proved who they are."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM identity_guard WHERE key = %s", [_key(kind, value)])


def forget(now: datetime) -> int:
    """Remove counts that no longer matter; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM identity_guard WHERE last_at < %s", [now - rules.FORGET_AFTER])
        return int(cursor.rowcount)


def _key(kind: GuardKind, value: str) -> bytes:
    return salted_hmac(f"salus.identity.guard.{kind}", value, algorithm="sha256").digest()
