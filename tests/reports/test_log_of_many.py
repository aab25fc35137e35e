"""The log's filter by person with a staff of many: found by part of a name, never listed."""

from __future__ import annotations

from salus.identity import api as identity
from salus.identity.contracts import Role
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from tests.browser import Console

OFFICER = "security_officer"


def test_a_person_is_found_by_part_of_their_name_and_nobody_is_listed(console: Console) -> None:
    actor = system(console.organization.id, "test")
    with acting_for(console.organization.id):
        for name in ("Quincy Abelard", "Quincy Baptiste"):
            email = f"{name.split()[1].lower()}@cedar-row.example.org"
            identity.create_staff(name=name, email=email, roles=[Role.MARKETER], actor=actor)
        people, ready = identity.second_factors()
        staff = [each for each in identity.staff_members() if each.active]
        assert (people, ready) == (len(staff), sum(each.second_factor for each in staff))
    client = console.client(OFFICER)
    shown = client.get("/log/").content.decode()
    assert "Quincy Abelard" not in shown
    assert "Abelard" in client.get("/log/?actor=Abelard").content.decode()
    for text, says in (("quincy", "More than one person"), ("nobody-here", "Nobody of the staff")):
        assert says in client.get(f"/log/?actor={text}").content.decode()
