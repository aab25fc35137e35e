"""One installation on this machine: its database made ready, and its processes under the supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from salus.kernel.errors import Unavailable
from salus.platform import postgres, roles
from salus.platform.supervisor import Process, Supervisor
from salus.wiring.home import Home, address_only, admin_dsn, database_name

_SALUS = [sys.executable, "-m", "salus.wiring"]
MOST_PLANNERS = 3
MOST_SENDERS = 4
"""That are started unasked: each takes up to 300 MB when it is busy."""


@dataclass(frozen=True)
class Installation:
    """Where it lives, which database it uses, where it listens."""

    home: Home
    database_url: str | None = None
    http: str = "127.0.0.1:8480"
    inbox_port: int = 8481
    extra: Mapping[str, str] = field(default_factory=dict)
    has_admin: bool = True
    """`database_url` has the administrator's login; without it roles and database were made before."""

    @property
    def environment(self) -> dict[str, str]:
        """Return what its processes find in their environment."""
        given = {"SALUS_HOME": str(self.home.path), "SALUS_HTTP": self.http, "PYTHONUNBUFFERED": "1"}
        if self.database_url:
            given["DATABASE_URL"] = address_only(self.database_url)
        return given | dict(self.extra)

    @property
    def routes(self) -> Path:
        """Return the file in which `salus catch` says which domain is on which port."""
        return self.home.path / "catch" / "routes.json"

    @contextmanager
    def running(self, say: Callable[[str], None] = lambda _: None) -> Iterator[Supervisor]:
        """Start the database and make its schema; stop everything at the end."""
        self.home.path.mkdir(parents=True, exist_ok=True)
        with Supervisor(self.home.path).running() as supervisor:
            if not self.database_url:
                say("Starting PostgreSQL")
                self._start_postgres(supervisor)
            say("Preparing the database")
            self.prepare_database()
            yield supervisor

    def _start_postgres(self, supervisor: Supervisor) -> None:
        cluster = postgres.Cluster(self.home.path, self.home.password(postgres.SUPERUSER))
        cluster.prepare()
        supervisor.start(
            Process(
                "postgres",
                cluster.command(),
                ready=cluster.ready,
                stop_signal=signal.SIGINT,
                arguments={"cwd": cluster.place.data, **cluster.drop_privileges()},
            )
        )

    def prepare_database(self) -> None:
        """Create roles and database where they are missing, and migrate as the owner."""
        if self.has_admin or not self.database_url:
            passwords = {role: self.home.password(role) for role in roles.ROLES}
            roles.bootstrap(
                admin_dsn(self.home, self.database_url), database_name(self.database_url), passwords
            )
        migrated = subprocess.run(
            [sys.executable, "-m", "django", "migrate", "--verbosity", "0"],
            env={
                **os.environ,
                **self.environment,
                "SALUS_DATABASE_ROLE": "owner",
                "DJANGO_SETTINGS_MODULE": "salus.wiring.settings",
            },
            capture_output=True,
            check=False,
        )
        if migrated.returncode:
            raise Unavailable(
                "The database could not be brought up to date.",
                kept="Nothing was lost.",
                next_step=migrated.stderr.decode(errors="replace").strip().splitlines()[-1],
            )

    def catch(self) -> Process:
        """Return the development relay; ready when it has written its routes."""
        self.routes.unlink(missing_ok=True)
        return Process(
            "catch",
            [*_SALUS, "catch", "--directory", str(self.routes.parent), "--inbox-port", str(self.inbox_port)],
            self.environment,
            ready=self.routes.exists,
        )

    def engine(self) -> Process:
        """Return the audience engine."""
        return Process("engine", [*_SALUS, "engine"], self.environment)

    def worker(self) -> Process:
        """Return the process that runs jobs and the regular rounds."""
        return Process("worker", [*_SALUS, "worker"], self.environment)

    def planners(self) -> list[Process]:
        """Return what helps the worker to plan large campaigns: one for each further processor, up to `MOST_PLANNERS`."""
        count = min(MOST_PLANNERS, (os.cpu_count() or 1) - 1)
        return [
            Process(f"planner-{number}", [*_SALUS, "worker", "--plans"], self.environment)
            for number in range(1, count + 1)
        ]

    def sender(self, number: int = 1) -> Process:
        """Return the process that hands mail over; it connects as the sender's role."""
        name = "sender" if number == 1 else f"sender-{number}"
        return Process(name, [*_SALUS, "sender"], {**self.environment, "SALUS_DATABASE_ROLE": "sender"})

    def senders(self, count: int = 0) -> list[Process]:
        """Return `count` senders, or as many as this machine has processors, up to `MOST_SENDERS`.

        They share the queue, and what destinations are allowed.
        """
        usual = min(MOST_SENDERS, os.cpu_count() or 1)
        return [self.sender(number) for number in range(1, (count or usual) + 1)]

    def web(self) -> Process:
        """Return the web server."""
        return Process("web", [*_SALUS, "web"], self.environment, ready=self.is_serving)

    def inbound(self, options: Mapping[str, str]) -> Process:
        """Return the process that takes bounces and complaints, with these options of `salus inbound`."""
        words = [word for pair in options.items() for word in pair]
        return Process("inbound", [*_SALUS, "inbound", *words], self.environment)

    def submission(self, options: Mapping[str, str]) -> Process:
        """Return the process that takes messages from programs, with these options of `salus smtp`."""
        words = [word for pair in options.items() for word in pair]
        return Process("smtp", [*_SALUS, "smtp", *words], self.environment)

    def backup(self, directory: Path) -> Process:
        """Return the process that keeps the backups up to date, and removes those that no rule keeps."""
        return Process(
            "backup", [*_SALUS, "backup", "--directory", str(directory), "--every", "300"], self.environment
        )

    def is_serving(self) -> bool:
        """Return whether the web server answers."""
        try:
            # As our TLS proxy would ask: off loopback, nobody else is answered.
            asked = Request(f"http://{self.http}/healthz", headers={"X-Forwarded-Proto": "https"})
            with urlopen(asked, timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False
