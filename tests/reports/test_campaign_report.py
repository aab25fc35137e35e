"""The report of a campaign: every person in exactly one figure, and why."""

from __future__ import annotations

from salus.reports import api
from salus.reports.contracts import Figure
from tests.reports.world import World


def test_everybody_is_in_exactly_one_figure(sent: World) -> None:
    report = api.campaign_report(sent.campaign_id)
    assert report.planned == len(sent.people) == report.cleared + report.refused
    assert report.cleared == sum(report.outcomes.values())
    assert report.unaccounted == 0
    assert report.outcomes[Figure.PORTAL] == 3
