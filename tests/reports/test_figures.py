"""The figures of a whole installation: they add up over organizations and tell nothing about one."""

from __future__ import annotations

import re

from django.test import Client

from salus.delivery import api as delivery
from salus.delivery.contracts import State
from salus.platform.tenancy import acting_for
from tests.reports.world import World


def figures() -> dict[str, float]:
    """Ask as this machine does."""
    answer = Client(headers={"host": "localhost"}).get("/metrics")
    assert answer.status_code == 200
    lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_the_figures_of_all_organizations_are_told_together(own: World) -> None:
    found = figures()
    assert found['salus_messages_recent{state="accepted"}'] >= len(own.messages["accepted"])
    assert found["salus_organizations"] >= 1
    assert found["salus_audit_lag_seconds"] >= 0
    with acting_for(own.organization.id):
        waiting = delivery.waiting_by_state()
    assert waiting == {"due": 3}  # the notices of three deposits
    assert found['salus_delivery_queue{state="due"}'] >= 3


def test_nothing_in_them_says_whose_they_are(own: World) -> None:
    text = Client(headers={"host": "localhost"}).get("/metrics").content.decode()
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", text)
    assert own.organization.slug not in text
    assert own.organization.name not in text
    states = set(re.findall(r'salus_messages_recent\{state="(\w+)"\}', text))
    assert states <= {str(state) for state in State}
