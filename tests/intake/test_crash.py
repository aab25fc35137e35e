"""kill -9 in the middle of an import loses nothing and doubles nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from salus.contacts import api as contacts
from salus.intake import api
from salus.intake.contracts import Counts, ImportStatus
from salus.intake.models import RejectRow
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline

from .clinicfiles import DESK, patient, write_fhir

PEOPLE = 60
SCRIPT = """
import sys
from uuid import UUID
from salus.wiring import cli
cli.setup()
from salus.intake import api, running
from salus.kernel.acting import system
running.BATCH_LINES = 5
organization = UUID(sys.argv[1])
def progress(facts):
    print(facts.counts.read, flush=True)
api.run(organization, UUID(sys.argv[2]), actor=system(organization, "worker"), progress=progress)
"""


def encounter(number: int) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": f"e{number}",
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"text": "Office visit"}],
        "subject": {"reference": f"Patient/p{number % PEOPLE}"},
        "period": {"start": "2026-10-04T10:00:00Z"},
    }


def test_an_import_that_is_killed_again_and_again_ends_complete(
    database: Any, organization: UUID, tmp_path: Path
) -> None:
    resources = [patient(number) for number in range(PEOPLE)]
    resources += [encounter(number) for number in range(PEOPLE * 2)]
    resources += [{**encounter(999), "subject": {"reference": "Patient/nobody"}}]
    actor = system(organization, "test")
    with acting_for(organization):
        import_id = api.start_fhir(
            [write_fhir(tmp_path, resources)], declaration=DESK, actor=actor, queue=False
        )

    for batches in (1, 4, 9):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(organization), str(import_id)],
            env={**database.environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        for _ in range(batches):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()

    facts = api.run(organization, import_id, actor=actor)

    assert facts.status is ImportStatus.DONE
    total = PEOPLE + PEOPLE * 2 + 1
    assert (facts.counts.read, facts.counts.taken, facts.counts.rejected) == (total, total - 1, 1)
    assert facts.counts.created == PEOPLE
    with acting_for(organization):
        assert contacts.count() == PEOPLE
        assert len(timeline.events_since(0, 1000)) == PEOPLE * 2
        assert RejectRow.objects.count() == 1
        documents = [raw for *_, raw in contacts.open_documents_after(0, 1000)]
    assert all(raw.count(b'"Office visit"') == 2 for raw in documents)
    assert isinstance(facts.counts, Counts)
