"""Every check of the posture sees its fault where it really is: in files, in the database, in DNS, as time goes by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from salus.domains import ports
from salus.domains.contracts import Installation
from salus.identity.contracts import Organization
from salus.identity.models import OrganizationRow
from salus.platform.tenancy import acting_for
from salus.privacy import api as privacy
from salus.wiring.setup import facts
from tests.setup.names import name_server

from .clinic_at_fault import FAULTS, HOST, Scene

HERE = Installation(
    spf="ip4:192.0.2.7", inbound_host=HOST, takes_mail=True, has_certificate=True, addresses=("192.0.2.7",)
)


@pytest.fixture
def scene(
    make_clinic: Callable[..., Organization], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Any
) -> Iterator[Scene]:
    """A real clinic, no demo, in whose context the test stands."""
    organization = make_clinic(sending_domain="mail.harbor.example.org")
    with acting_for(organization.id):
        OrganizationRow.objects.filter(pk=organization.id).update(demo=False)
    scene = Scene(organization, tmp_path, monkeypatch, database, timezone.now())
    scene.setting("SALUS_HOME", tmp_path)
    before = facts.describe
    ports.use_installation(lambda: HERE)
    try:
        with name_server(scene.zone) as address, scene.until_the_end:
            scene.setting("SALUS_NAMESERVER", address)
            yield scene
    finally:
        ports.use_installation(before)


def test_every_check_has_a_real_fault() -> None:
    assert set(FAULTS) == {each.name for each in privacy.CHECKS}


@pytest.mark.parametrize("check", sorted(FAULTS))
def test_a_check_is_content_until_its_fault_is_there(check: str, scene: Scene) -> None:
    goes_wrong = FAULTS[check](scene)
    with acting_for(scene.organization.id):
        next(goes_wrong)
        assert check not in scene.found()
    with acting_for(scene.organization.id):
        assert next(goes_wrong, "over") == "over"
        assert check in scene.found()
