"""Sessions in the database, found by a hash of their key; what a signed-in session knows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django.utils import timezone
from psycopg import sql

from salus.identity.models import Session, User
from salus.platform import bulk

_STAFF = "staff"
_KEPT = sql.SQL("SELECT session_data FROM identity_session WHERE session_key = %s AND expire_date > %s")
TOUCH_EVERY = 15
"""Seconds; a session is written no more often than this for being used."""


def stored_key(session_key: str) -> str:
    """Return what the table knows of a session's key."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]


class SessionStore(DatabaseStore):
    """Django's store, with the key hashed in the table and the person in columns of their own."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Return our table."""
        return Session

    def _get_session_from_db(self) -> Session | None:
        found = bulk.read(_KEPT, [stored_key(self.session_key or ""), timezone.now()])
        if not found:
            self._session_key = None
            return None
        return Session(session_data=found[0][0])

    def exists(self, session_key: str) -> bool:
        """Return whether there is such a session."""
        return Session.objects.filter(session_key=stored_key(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Return the row to store for this session."""
        facts = _facts(data)
        return Session(
            session_key=stored_key(self._get_or_create_session_key()),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            user_id=facts.user_id if facts else None,
            started_at=facts.started if facts else None,
            seen_at=facts.seen if facts else None,
            ip=facts.ip or None if facts else None,
            browser=facts.browser if facts else "",
        )

    def delete(self, session_key: str | None = None) -> None:
        """Remove the session."""
        key = session_key or self.session_key
        if key:
            Session.objects.filter(session_key=stored_key(key)).delete()


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a signed-in session says: who, for which organization, since when, by which second factor."""

    user_id: UUID
    organization_id: UUID
    started: datetime
    seen: datetime
    factor: str
    password_mark: str
    ip: str
    browser: str


def start(request: HttpRequest, user: User, factor: str, now: datetime) -> None:
    """Sign `user` in: a fresh session under a fresh key, so that no earlier key (fixation) leads to it."""
    request.session.flush()
    request.session[_STAFF] = {
        "user": str(user.pk),
        "organization": str(user.organization_id),
        "started": int(now.timestamp()),
        "seen": int(now.timestamp()),
        "factor": factor,
        "mark": user.get_session_auth_hash(),
        "ip": request.META.get("REMOTE_ADDR", ""),
        "browser": browser_of(request.headers.get("User-Agent", "")),
    }
    rotate_token(request)


def facts_of(session: SessionBase) -> SessionFacts | None:
    """Return who is signed in with `session`, None for nobody."""
    return _facts({_STAFF: session.get(_STAFF)})


def touch(session: SessionBase, now: datetime) -> None:
    """Note that somebody is there."""
    kept = dict(session[_STAFF])
    if int(now.timestamp()) - kept["seen"] >= TOUCH_EVERY:
        kept["seen"] = int(now.timestamp())
        session[_STAFF] = kept


def short_id(session: SessionBase) -> str:
    """Return a name for the session that is fit for the log and opens nothing."""
    return stored_key(session.session_key or "")[:16]


def browser_of(agent: str) -> str:
    """Return a browser and system in two words, for the list of sessions: "Firefox on Windows"."""
    browsers = (
        ("Edg", "Edge"),
        ("OPR", "Opera"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    )
    systems = (
        ("Windows", "Windows"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in browsers if mark in agent), "A browser")
    system = next((name for mark, name in systems if mark in agent), "")
    return f"{browser} on {system}" if system else browser


def _facts(data: dict[str, Any]) -> SessionFacts | None:
    kept = data.get(_STAFF)
    if not kept:
        return None
    return SessionFacts(
        user_id=UUID(kept["user"]),
        organization_id=UUID(kept["organization"]),
        started=datetime.fromtimestamp(kept["started"], UTC),
        seen=datetime.fromtimestamp(kept["seen"], UTC),
        factor=kept["factor"],
        password_mark=kept["mark"],
        ip=kept["ip"],
        browser=kept["browser"],
    )
