"""An engine that runs in a thread of the test, and people for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import connections

from salus.audiences import client, wire
from salus.audiences.engine.server import Server
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.kernel.errors import Unavailable
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel
from salus.keys import api as keys
from salus.platform.tenancy import acting_for

from .worlds import tree

TODAY = datetime.now(UTC).date()
DIABETES = tree({"record": "conditions", "code": "vs:diabetes"})
EVERYBODY = tree({"all": []})


def patch(mark: str, *codes: str, **values: object) -> ContactPatch:
    """Return an invented patient with these diagnoses."""
    return ContactPatch(
        identifiers=(Identifier("mrn", Phi(mark)),),
        addresses=(
            Address(
                Channel.EMAIL,
                Phi(f"{mark}@lakepost.example.org"),
                AddressSource.CLINICAL_ENCOUNTER,
                "visit",
                None,
            ),
        ),
        values={"birth_date": "1970-01-01", "gender": "female", **values},
        records={
            "conditions": tuple(
                {
                    "id": f"{mark}-{code}",
                    "code": code,
                    "system": "icd10",
                    "date": TODAY.isoformat(),
                    "status": "active",
                }
                for code in codes
            )
        },
    )


class RunningEngine:
    """An engine in a thread of the test, for the organizations that the test adds."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.organizations: list[UUID] = []
        self.server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self.server = Server(
            wire.socket_path(client.directory(), 0),
            self.directory,
            keys.local_secret(client.TOKEN),
            lambda: list(self.organizations),
            meet_every=0.05,
        )
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        assert self.server is not None
        try:
            self.server.run()
        finally:
            connections.close_all()

    def stop(self) -> None:
        if self.server is not None and self._thread is not None:
            self.server.stop()
            self._thread.join(20)
            assert not self._thread.is_alive()
            self.server = None


def wait_until(organization: UUID, holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Ask until it holds; the engine reads the feeds by itself."""
    stop, pause = datetime.now(UTC) + timedelta(seconds=seconds), threading.Event()
    while True:
        try:
            with acting_for(organization):
                if holds():
                    return
        except Unavailable:
            pass
        assert datetime.now(UTC) < stop, "the engine did not get there"
        pause.wait(0.05)
