"""What a receipt says of the sending that its message belongs to, when that is a step of a journey."""

from __future__ import annotations

from salus.delivery import api as delivery
from salus.delivery.contracts import Origin
from salus.identity.contracts import Role
from salus.journeys.contracts import JOURNEY, Exit, Send
from salus.journeys.models import SendingRow, VersionRow
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel
from salus.platform.tenancy import acting_for
from salus.reports import api
from tests.browser import Console
from tests.journeys.graphs import graph, step
from tests.journeys.running import START, put_live
from tests.reports.conftest import client_of
from tests.reports.world import World, make_version, staff


def test_a_receipt_names_the_journey_and_who_approved_it(own: World, outsider: Console) -> None:
    organization = own.organization
    with acting_for(organization.id):
        letter, officer = make_version(organization), staff(organization, Role.PRIVACY_OFFICER)
    drawn = graph(
        step("letter", Send(Channel.EMAIL, {"en": letter}), next="end"),
        step("end", Exit()),
        quiet_from=None,
        quiet_until=None,
        holidays=False,
    )
    running = put_live(organization.id, drawn)
    with acting_for(organization.id):
        VersionRow.objects.update(approved_by=officer.id, approved_at=START)
    running.enter(own.people[-1])
    running.run()
    [visit, _] = running.visits(own.people[-1])
    assert visit.message_id is not None
    with acting_for(organization.id):
        origin_id = SendingRow.objects.get().id
        told = delivery.told_receipt(visit.message_id, actor=officer)
    assert told.origin is not None
    assert told.origin.name.reveal() == drawn.name
    assert (told.origin.approved_by, told.origin.approved_at) == (officer.id, START)
    assert told.approved_by
    page = client_of(own, "privacy_officer").get(f"/messages/{visit.message_id}/receipt/")
    assert drawn.name in page.content.decode()
    leads = client_of(own, "marketer").get(f"/reports/sendings/{origin_id}/")
    assert leads.headers["Location"] == f"/journeys/{running.journey_id}"
    assert outsider.client("marketer").get(f"/reports/sendings/{origin_id}/").status_code == 404
    with acting_for(outsider.organization.id):
        assert api.describe_sending(Origin(JOURNEY, origin_id)) is None
    with acting_for(organization.id):
        assert api.describe_sending(Origin(JOURNEY, new_id())) is None
        assert api.describe_sending(Origin("notice", origin_id)) is None
