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
from urllib.parse import urlsplit
from uuid import UUID

from salus.kernel.errors import SalusError, Unavailable
from salus.platform import postgres, roles
from salus.recovery.contracts import Examined, Restoring, Site
from salus.wiring.home import Home, admin_dsn, database_name
from salus.wiring.installation import Installation

_OF_THE_LIVE_ONE = frozenset({"DATABASE_URL", "SALUS_WITNESS"})
"""What the environment says of the live system and not of the copy."""
STALLED = 300.0
"""Seconds in which an engine that is being built must come further; else it cannot be built."""


def site(home: Home, database_url: str | None) -> Site:
    """Return the installation at `home`."""

    def examine(folder: Path, restoring: Restoring | None) -> tuple[Examined, ...]:
        return _examine(Installation(Home(folder)), restoring)

    return Site(
        home=home.path,
        witness=home.witness,
        erased=home.erased,
        database=database_name(database_url),
        admin_dsn=admin_dsn(home, database_url),
        passwords={role: home.password(role) for role in (postgres.SUPERUSER, *roles.ROLES)},
        embedded=not database_url,
        examine=examine,
    )


def _examine(installation: Installation, restoring: Restoring | None) -> tuple[Examined, ...]:
    if restoring:
        installation.prepare_database()  # the backup may be of an older version
    told = json.dumps(_told(restoring) if restoring else None).encode()
    return tuple(_examined(each) for each in json.loads(_ask(installation, "examine", told)))


def erase_again(home: Home, database_url: str, database: str) -> tuple[int, list[str]]:
    """Bring the schema of a loaded database up to date and erase again whom the list names.

    Returns how many people that were, and what is amiss. Nothing else may use the database meanwhile.
    """
    url = urlsplit(database_url)._replace(path=f"/{database}").geturl()
    installation = Installation(home, url)
    installation.prepare_database()
    found = json.loads(_ask(installation, "erased", b""))
    return sum(back for _, back, _ in found), [fault for _, _, faults in found for fault in faults]


def _ask(installation: Installation, word: str, told: bytes) -> bytes:
    """Run this module as a program on an installation and return what it printed."""
    environment = {name: value for name, value in os.environ.items() if name not in _OF_THE_LIVE_ONE}
    done = subprocess.run(
        [sys.executable, "-m", "salus.wiring.recovering", word],
        input=told,
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
    return done.stdout


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
    """Examine the installation of this process's environment ("examine"), or only erase again ("erased")."""
    import django

    django.setup()
    from django.conf import settings

    from salus.wiring.assembly import assemble

    assemble(settings.HOME)
    from salus.identity import api as identity

    ids = [each.id for each in identity.organizations()]
    if sys.argv[1:] == ["erased"]:
        found: Any = [_erase_again(each, really=True) for each in ids]
    else:
        found = _look_at_all(ids, _restoring(json.load(sys.stdin)))
    sys.stdout.write(json.dumps(found, default=str))
    return 0


def _look_at_all(ids: list[UUID], restoring: Restoring | None) -> list[dict[str, Any]]:
    from salus.platform.tenancy import acting_for
    from salus.recovery import api as recovery

    erased = {each: _erase_again(each, really=restoring is not None) for each in ids}
    found = []
    with _engine():
        for each in ids:
            with acting_for(each):
                one = _look(each, *erased[each])
            if restoring:
                with acting_for(each):
                    recovery.record_restore(one, restoring)
            found.append({name: getattr(one, name) for name in one.__slots__})
    return found


def _erase_again(organization_id: UUID, *, really: bool) -> tuple[int, int, list[str]]:
    """Return how many erasures are listed, how many people came back (`really`: and were erased), what is amiss."""
    from salus.kernel.acting import system
    from salus.kernel.time import SystemClock
    from salus.platform.tenancy import acting_for
    from salus.privacy import api as privacy

    with acting_for(organization_id):
        back, unlisted, listed = len(privacy.came_back()), privacy.unlisted(), privacy.listed()
    faults = [f"{unlisted} erasures are not on the list outside the database"] if unlisted else []
    if really and back:
        try:
            privacy.erase_again(
                organization_id, actor=system(organization_id, "restore"), clock=SystemClock()
            )
        except SalusError as fault:  # the others must come back all the same; the worker goes on with it
            faults.append(f"who was erased is not erased again yet: {fault.what}")
    return listed, back, faults


def _look(organization_id: UUID, erasures: int, erased_again: int, amiss: list[str]) -> Examined:
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
    faults += amiss
    return Examined(
        organization_id=organization_id,
        entries=verdict.entries,
        root=verdict.root,
        verified=verdict.verified,
        faults=tuple(faults),
        contacts=contacts.count(),
        engine_people=status.people,
        erasures=erasures,
        erased_again=erased_again,
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
