"""Who looked at one person's record: shown from the contact's page, to few, and itself in the log."""

from __future__ import annotations

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters, NewEntry
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from tests.browser import Console
from tests.reports.conftest import client_of
from tests.reports.world import World


def test_the_page_names_who_looked_when_and_what_for(own: World) -> None:
    patient, other = own.people[:2]
    assert client_of(own, "care_coordinator").get(f"/contacts/{patient}").status_code == 200
    officer = client_of(own, "privacy_officer")
    assert f'href="/log/people/{patient}/"' in officer.get(f"/contacts/{patient}").content.decode()
    seen = officer.get(f"/log/people/{patient}/").content.decode()
    with acting_for(own.organization.id):
        entries = audit.entries(Filters(patient_id=patient, looks=True))
    assert [each.role for each in entries][-2:] == ["privacy_officer", "care_coordinator"]
    assert all(f"/log/entries/{each.id}/" in seen for each in entries)
    assert "Care coordinator" in seen
    assert "Operations" in seen
    assert "Permissions, entry, append" not in seen  # nobody saw anything by that
    assert "Nobody has looked yet" in officer.get(f"/log/people/{other}/").content.decode()


def test_asking_who_looked_is_in_the_log(own: World) -> None:
    client_of(own, "auditor").get(f"/log/people/{own.people[0]}/")
    with acting_for(own.organization.id):
        (entry,) = audit.entries(Filters(action=Action.ACCESS_READ))
    assert (entry.patient_id, entry.object_id, entry.role) == (own.people[0], own.people[0], "auditor")


def test_whoever_may_not_finds_neither_page_nor_way_there(shared: World, outsider: Console) -> None:
    patient = shared.people[0]
    coordinator = client_of(shared, "care_coordinator")
    assert "/log/people/" not in coordinator.get(f"/contacts/{patient}").content.decode()
    assert coordinator.get(f"/log/people/{patient}/").status_code == 404
    assert client_of(shared, "auditor").get(f"/log/people/{new_id()}/").status_code == 404
    assert outsider.client("auditor").get(f"/log/people/{patient}/").status_code == 404


def test_looks_follow_one_another_from_page_to_page(own: World) -> None:
    patient, actor = own.people[0], system(own.organization.id, "test")
    look = NewEntry(Action.CONTACT_READ, actor, "contact", patient_id=patient)
    with acting_for(own.organization.id):
        ids = [str(each) for each in audit.record_many([look] * 60)][::-1]
    auditor = client_of(own, "auditor")
    first = auditor.get(f"/log/people/{patient}/").content.decode()
    assert [each for each in ids if each in first] == ids[:50]
    second = auditor.get(f"/log/people/{patient}/?after={ids[49]}").content.decode()
    assert [each for each in ids if each in second.partition("<tbody>")[2]] == ids[50:]
