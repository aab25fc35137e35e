"""Lets one browser into the page of the first run: by a token that works once, then by a cookie, until it is set up."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from salus.wiring.home import Home
from salus.wiring.installed import write_whole

_TOKEN, _COOKIE = "first-run-token", "first-run-browser"
_LOCK = "setup.lock"


def new_token(home: Home) -> str:
    """Return a new token; the ones before, and the browser that used one, are not let in any more."""
    token = secrets.token_urlsafe(24)
    (home.keys / _COOKIE).unlink(missing_ok=True)
    write_whole(home.keys / _TOKEN, _digest(token))
    return token


def spend(home: Home, token: str) -> str | None:
    """Return the cookie for the browser that brought the token; None when it is not the one, or was used."""
    path = home.keys / _TOKEN
    if not _is(path, token):
        return None
    try:
        path.unlink()  # of two that come at once, one finds it gone
    except FileNotFoundError:
        return None
    cookie = secrets.token_urlsafe(24)
    write_whole(home.keys / _COOKIE, _digest(cookie))
    return cookie


def knows(home: Home, cookie: str) -> bool:
    """Tell whether this browser was let in."""
    return _is(home.keys / _COOKIE, cookie)


def close(home: Home) -> None:
    """Let nobody in any more."""
    for name in (_TOKEN, _COOKIE):
        (home.keys / name).unlink(missing_ok=True)


@contextmanager
def at_work(home: Home) -> Iterator[None]:
    """Hold off another set-up, and `salus start`, which would else restart the database in the midst of this one."""
    with (home.path / _LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_at_work(home: Home) -> bool:
    """Tell whether a set-up is going on, in this process or another."""
    with (home.path / _LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _is(path: Path, secret: str) -> bool:
    try:
        kept = path.read_text()
    except FileNotFoundError:
        return False
    return hmac.compare_digest(kept, _digest(secret))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
