"""A real PostgreSQL for the tests: one embedded cluster a session, our roles, our migrations.

`DATABASE_URL` names another server instead, and `SALUS_TEST_SERVER=debian` starts one of Debian's programs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connections, transaction

from salus.kernel.acting import Actor, system
from salus.kernel.ids import new_id
from salus.platform import postgres, roles
from salus.platform.tenancy import acting_for
from salus.wiring.home import Home, admin_dsn, database_name, django_database

pytest_plugins = ["tests.conftest_browser"]


class World:
    """The installation that the tests run in: its home folder and how to reach its database."""

    def __init__(self, home: Path, url: str | None = None) -> None:
        self.home, self.url = Home(home), url
        self.environment = {
            **os.environ,
            "SALUS_HOME": str(home),
            "DJANGO_SETTINGS_MODULE": "salus.wiring.settings",
            **({"DATABASE_URL": url} if url else {}),
        }

    @property
    def superuser_dsn(self) -> str:
        """Connect past every check, as somebody who has stolen the database would."""
        from psycopg.conninfo import make_conninfo

        return make_conninfo(admin_dsn(self.home, self.url), dbname=database_name(self.url))


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Start the database, create roles, migrate; stop and remove all of it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="salus-test-"))
    folder.chmod(0o755)  # as root, PostgreSQL runs under another user who must reach its folder
    url = os.environ.pop("DATABASE_URL", None)  # tests with a server of their own must not be led to this one
    with ExitStack() as debian:
        if os.environ.get("SALUS_TEST_SERVER") == "debian":
            from tests.server import debian_server

            url = debian.enter_context(debian_server(folder))
        yield from _prepared(folder, url)


def _prepared(folder: Path, url: str | None) -> Iterator[World]:
    world = World(folder, url)
    cluster = postgres.Cluster(folder, world.home.password(postgres.SUPERUSER), durable=False)
    server: subprocess.Popen[bytes] | None = None
    try:
        if not world.url:
            cluster.prepare()
            with (folder / "postgres.log").open("wb") as log:
                server = subprocess.Popen(  # type: ignore[call-overload]
                    cluster.command(),
                    stdout=log,
                    stderr=log,
                    cwd=cluster.place.data,
                    **cluster.drop_privileges(),
                )
            cluster.wait_ready(alive=lambda: server.poll() is None)
        passwords = {role: world.home.password(role) for role in roles.ROLES}
        roles.bootstrap(admin_dsn(world.home, world.url), database_name(world.url), passwords)
        subprocess.run(
            [sys.executable, "-m", "django", "migrate", "--verbosity", "0"],
            env={**world.environment, "SALUS_DATABASE_ROLE": "owner"},
            check=True,
        )
        _point_django_at(world)
        yield world
        connections.close_all()
    finally:
        if server:
            server.terminate()
            server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
        if cluster.place.socket.parent == Path(tempfile.gettempdir()):
            shutil.rmtree(cluster.place.socket, ignore_errors=True)


def _point_django_at(world: World) -> None:
    settings.HOME, settings.SALUS_HOME = world.home, world.home.path
    settings.STATIC_ROOT = world.home.path / "static"
    settings.DATABASES["default"].update(django_database(world.home, world.url, "app"))
    _configure_keys(world)


def _configure_keys(world: World) -> None:
    """Use a key file of this session's own."""
    from salus.wiring import assembly

    assembly.assemble(world.home)


@pytest.fixture(scope="session")
def django_db_setup(world: World) -> None:
    """Replace pytest-django's own database: ours is there already."""


@pytest.fixture
def database(world: World, django_db_blocker: object) -> Iterator[World]:
    """Allow the database, with real commits; nothing is cleaned, so use a fresh organization."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        yield world


@pytest.fixture
def make_organization(database: World) -> Callable[[], UUID]:
    """Return a maker of organizations that have keys and nothing else."""
    from salus.keys import api as keys

    def make() -> UUID:
        organization_id = new_id()
        with acting_for(organization_id):
            keys.create_organization_keys(organization_id)
        return organization_id

    return make


@pytest.fixture
def organization(make_organization: Callable[[], UUID]) -> UUID:
    """A fresh organization whose rows are really committed; enter `acting_for(organization)`."""
    return make_organization()


@pytest.fixture
def other_organization(make_organization: Callable[[], UUID]) -> UUID:
    """Somebody else's organization."""
    return make_organization()


@pytest.fixture
def tenant(database: World) -> Iterator[UUID]:
    """Be inside a fresh organization with keys, in a transaction that is rolled back."""
    from salus.keys import api as keys

    organization_id = new_id()
    with transaction.atomic():
        with acting_for(organization_id):
            keys.create_organization_keys(organization_id)
            yield organization_id
        transaction.set_rollback(True)


@pytest.fixture
def actor(tenant: UUID) -> Actor:
    """The system acting in `tenant`."""
    return system(tenant, "test")


Acting = Callable[[UUID], AbstractContextManager[None]]
