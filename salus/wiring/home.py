"""Where this installation keeps its data, and how its processes reach the database."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from salus.kernel.errors import BadInput
from salus.platform import postgres, roles
from salus.platform.local_secrets import local_secret

_OURS = frozenset({"user", "password", "dbname", "host", "port", "application_name"})
"""Parameters of `DATABASE_URL` that are the administrator's, or set by us for each process."""

PROCESS_ROLES = {"app": roles.APP, "sender": roles.SENDER, "owner": roles.OWNER}


@dataclass(frozen=True)
class Home:
    """The folder of one installation."""

    path: Path

    @property
    def keys(self) -> Path:
        """Return the folder of key-encryption keys and local secrets."""
        return self.path / "keys"

    @property
    def logs(self) -> Path:
        """Return the folder of logs."""
        return self.path / "logs"

    @property
    def witness(self) -> Path:
        """Return the folder for copies of the log's roots: SALUS_WITNESS, best on another disk, or below this one."""
        return Path(os.environ.get("SALUS_WITNESS") or self.path / "witness")

    @property
    def erased(self) -> Path:
        """Return the list of the erased, which is kept outside the database: a restore must not bring them back."""
        return self.path / "erased"

    def password(self, role: str) -> str:
        """Return the database password of `role`, made on first use."""
        return local_secret(self.keys, f"database-{role}")


def from_environment() -> Home:
    """Return the home that `SALUS_HOME` names, `var` by default."""
    return Home(Path(os.environ.get("SALUS_HOME", "var")).resolve())


def address_only(url: str) -> str:
    """Return `url` without the administrator's name and password: no process but the set-up needs them."""
    parts = urlsplit(url)
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name not in _OURS])
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query).geturl()


def admin_dsn(home: Home, url: str | None) -> str:
    """Return how to connect as the administrator: of the embedded cluster, or as `url` says."""
    if url:
        return url
    return postgres.Cluster(home.path, home.password(postgres.SUPERUSER)).dsn()


def database_name(url: str | None) -> str:
    """Return the database to use: that of `url`, else ours."""
    return (urlsplit(url).path.lstrip("/") if url else "") or postgres.DATABASE


def django_database(home: Home, url: str | None, process_role: str) -> dict[str, Any]:
    """Return Django's settings for the database, connecting as the role of this process."""
    if process_role not in PROCESS_ROLES:
        raise BadInput(f"Unknown database role {process_role!r}.", place="SALUS_DATABASE_ROLE")
    role = PROCESS_ROLES[process_role]
    host, port = str(postgres.place(home.path).socket), ""
    options: dict[str, Any] = {"application_name": f"salus {process_role}", "connect_timeout": 5}
    if url:
        parts = urlsplit(url)
        if parts.scheme not in {"postgres", "postgresql"}:
            raise BadInput("Only PostgreSQL is served here.", place="DATABASE_URL")
        host, port = unquote(parts.hostname or ""), str(parts.port or "")
        # What the address asks of the connection (sslmode=verify-full...) holds for every role's.
        options |= {name: value for name, value in parse_qsl(parts.query) if name not in _OURS}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database_name(url),
        "USER": role,
        "PASSWORD": home.password(role),
        "HOST": host,
        "PORT": port,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
        "DISABLE_SERVER_SIDE_CURSORS": False,
    }
