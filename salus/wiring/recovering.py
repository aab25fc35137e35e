"""Shows recovery this installation, and looks at a restored one from a process of its own.

As a program (`python -m salus.wiring.recovering`) it is that process: it examines the installation that
SALUS_HOME names, and prints what it found as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from salus.kernel.errors import Unavailable
from salus.platform import postgres, roles
from salus.recovery.contracts import Examined, Restoring, Site
from salus.wiring.home import Home, admin_dsn, database_name
from salus.wiring.installation import Installation

STALLED = 300.0
"""Seconds in which an engine that is being built must come further; else it cannot be built."""


def site(home: Home, database_url: str | None) -> Site:
    """Return the installation at `home`."""

    def examine(folder: Path, restoring: Restoring | None) -> tuple[Examined, ...]:
        return _examine(Installation(Home(folder)), restoring)

    return Site(
        home=home.path,
        witness=home.path / "witness",
        database=database_name(database_url),
        admin_dsn=admin_dsn(home, database_url),
        passwords={role: home.password(role) for role in (postgres.SUPERUSER, *roles.ROLES)},
        embedded=not database_url,
        examine=examine,
    )


def _examine(installation: Installation, restoring: Restoring | None) -> tuple[Examined, ...]:
    if restoring:
        installation.prepare_database()  # the backup may be of an older version
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "salus.wiring.recovering"],
        input=json.dumps(_told(restoring) if restoring else None).encode(),
        env={**environment, **installation.environment, "DJANGO_SETTINGS_MODULE": "salus.wiring.settings"},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Unavailable(
            f"The restored copy could not be examined: {said[-1] if said else done.returncode}",
            kept="The live system was not touched.",
        )
    return tuple(_examined(each) for each in json.loads(done.stdout))


def _told(restoring: Restoring) -> dict[str, Any]:
    return {
        "backup": restoring.backup,
        "to": restoring.to.isoformat(),
        "given_up": {str(key): value for key, value in restoring.given_up.items()},
    }


def _restoring(told: Mapping[str, Any] | None) -> Restoring | None:
    if told is None:
        return None
    given_up = {UUID(key): int(value) for key, value in told["given_up"].items()}
    return Restoring(told["backup"], datetime.fromisoformat(told["to"]), given_up)


def _examined(facts: Mapping[str, Any]) -> Examined:
    return Examined(
        **{**facts, "organization_id": UUID(facts["organization_id"]), "faults": tuple(facts["faults"])}
    )


def main() -> int:
    """Examine the installation of this process's environment."""
    import django

    django.setup()
    from django.conf import settings

    from salus.wiring.assembly import assemble

    assemble(settings.HOME)
    restoring = _restoring(json.load(sys.stdin))
    from salus.identity import api as identity
    from salus.platform.tenancy import acting_for
    from salus.recovery import api as recovery

    found = []
    with _engine():
        for organization in identity.organizations():
            with acting_for(organization.id):
                one = _look(organization.id)
            if restoring:
                with acting_for(organization.id):
                    recovery.record_restore(one, restoring)
            found.append({name: getattr(one, name) for name in one.__slots__})
    sys.stdout.write(json.dumps(found, default=str))
    return 0


def _look(organization_id: UUID) -> Examined:
    from salus.audiences import api as audiences
    from salus.audit import api as audit
    from salus.contacts import api as contacts

    verdict = audit.verify()
    status, since = audiences.engine_status(), time.monotonic()
    while status.state != "ready" and time.monotonic() - since < STALLED:
        time.sleep(0.05)
        before, status = status, audiences.engine_status()
        if status != before:
            since = time.monotonic()
    faults = [
        each.what if each.position is None else f"position {each.position}: {each.what}"
        for each in verdict.faults
    ]
    if status.state != "ready":  # one organization must not keep the others from being looked at
        faults.append("the audience engine cannot be built from what came back")
    return Examined(
        organization_id=organization_id,
        entries=verdict.entries,
        root=verdict.root,
        verified=verdict.verified,
        faults=tuple(faults),
        contacts=contacts.count(),
        engine_people=status.people,
    )


@contextmanager
def _engine() -> Iterator[None]:
    """Run the audience engine of this environment."""
    process = subprocess.Popen(
        [sys.executable, "-m", "salus.wiring", "engine"], stdin=subprocess.DEVNULL, stdout=2
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


if __name__ == "__main__":
    raise SystemExit(main())
