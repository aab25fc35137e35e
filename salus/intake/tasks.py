"""Jobs of intake: ids in, one call of the door."""

from __future__ import annotations

import contextlib
from uuid import UUID

from salus.intake import api
from salus.kernel.acting import system
from salus.kernel.errors import Conflict
from salus.platform.jobs import job


@job(queue="import")
def run_import(*, organization_id: str, import_id: str) -> None:
    """Run an import; one that has ended meanwhile, or that somebody else runs, is left alone."""
    organization = UUID(organization_id)
    with contextlib.suppress(Conflict):
        api.run(organization, UUID(import_id), actor=system(organization, "worker"))
