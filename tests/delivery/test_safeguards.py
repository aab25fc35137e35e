"""Who asks for more protection than the law gets it, before and after the plan, and is told why."""

from __future__ import annotations

from typing import Any

import pytest

from salus.content import api as content
from salus.delivery import api
from salus.delivery.contracts import Origin, State
from salus.delivery.models import MessageRow
from salus.identity.contracts import Role
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.vocabulary import Protection
from salus.safeguards import api as safeguards
from salus.safeguards.contracts import By

from . import office
from .conftest import Desk

DOMAIN = '[[rule]]\nname = "Lakepost"\nprotect = "portal"\ndomains = ["lakepost.example.test"]\n'


def floors(origin: Origin) -> list[Protection]:
    rows = MessageRow.objects.filter(origin_id=origin.id).order_by("contact_number")
    return [Protection(row.floor) for row in rows]


def adopt(desk: Desk, text: str) -> None:
    """Put a policy in force, as an administrator does."""
    safeguards.save(
        text,
        after=safeguards.number(),
        actor=office.staff(desk.organization, Role.ADMINISTRATOR),
        at=desk.clock.now(),
    )


def told(desk: Desk, origin: Origin) -> list[str]:
    [row] = MessageRow.objects.filter(origin_id=origin.id)
    return list(api.protected_so(api.receipt(row.id)))


def test_without_a_policy_the_law_alone_asks(desk: Desk) -> None:
    desk.admit("ada")
    origin, _ = desk.plan()
    assert floors(origin) == [Protection.NAMED]
    first, second, third = told(desk, origin)
    assert first.startswith("The law asks for at least TLS to a mail host whose certificate is for its name")
    assert "So it needs at least this" in second
    assert third == "It has not been handed over."


def test_a_rule_for_a_domain_holds_for_that_domain(desk: Desk) -> None:
    desk.admit("ada")
    desk.admit("bert", domain="other.example.test")
    adopt(desk, DOMAIN)
    origin, counts = desk.plan()
    assert floors(origin) == [Protection.PORTAL, Protection.NAMED]
    assert counts.by_floor == {"portal": 1, "named": 1}


def test_a_policy_that_is_saved_after_the_plan_holds_before_the_hand_over(desk: Desk) -> None:
    desk.admit("ada")
    origin = desk.release()
    assert floors(origin) == [Protection.NAMED]
    adopt(desk, DOMAIN)
    batch = desk.take()
    assert [each.floor for each in batch.prepared] == [Protection.PORTAL]
    assert (
        "The rule “Lakepost” of your protection policy asks for at least the portal" in told(desk, origin)[1]
    )


def test_a_wish_after_the_plan_holds_and_is_the_persons_alone(desk: Desk) -> None:
    ada, _ = desk.admit("ada", "bert")
    origin = desk.release()
    staff = office.staff(desk.organization, Role.PRIVACY_OFFICER)
    safeguards.set_wish(ada, Protection.PORTAL, actor=staff, at=desk.clock.now())
    batch = desk.take()
    assert sorted(each.floor for each in batch.prepared) == [Protection.NAMED, Protection.PORTAL]
    assert floors(origin) == [Protection.PORTAL, Protection.NAMED]


def test_a_mark_in_a_templates_subject_asks_and_is_not_sent(desk: Desk) -> None:
    desk.admit("ada")
    author, reviewer = (office.staff(desk.organization, role) for role in (Role.AUTHOR, Role.PRIVACY_OFFICER))
    template_id = content.create_template("Marked", actor=author)
    version = content.save_version(
        template_id, language="en", subject="[portal] A visit is due", mjml=office.LETTER, actor=author
    )
    content.classify(version.id, office.REMINDER, actor=author)
    content.confirm_classification(version.id, actor=reviewer)
    origin = desk.release(desk.spec(version.id))
    [prepared] = desk.take().prepared
    assert (prepared.floor, prepared.parts.subject) == (Protection.PORTAL, "A visit is due")
    assert told(desk, origin)[1] == (
        "The mark [portal] in the subject asks for at least the portal, where the reader signs in."
    )


def test_a_notice_of_the_portal_still_goes_by_mail(desk: Desk) -> None:
    desk.admit("ada")
    adopt(desk, DOMAIN)
    desk.release()
    [prepared] = desk.take().prepared
    desk.settle(desk.outcome(prepared, State.PORTAL))
    notice = [each for each in desk.take().prepared if not each.is_letter]
    assert [each.floor for each in notice] == [Protection.NAMED]


def test_the_receipt_names_everybody_who_asked(desk: Desk) -> None:
    [ada] = desk.admit("ada")
    adopt(desk, DOMAIN)
    staff = office.staff(desk.organization, Role.PRIVACY_OFFICER)
    safeguards.set_wish(ada, Protection.KEY, actor=staff, at=desk.clock.now())
    origin, _ = desk.plan()
    [row] = MessageRow.objects.filter(origin_id=origin.id)
    found = api.receipt(row.id)
    assert (found.law, found.floor) == ("named", "portal")
    assert [(each.by, each.level) for each in found.asked] == [
        (By.POLICY, Protection.PORTAL),
        (By.PERSON, Protection.KEY),
    ]


def test_a_policy_is_saved_over_the_one_that_was_seen(desk: Desk) -> None:
    adopt(desk, DOMAIN)
    admin = office.staff(desk.organization, Role.ADMINISTRATOR)
    with pytest.raises(Conflict):
        safeguards.save("", after=0, actor=admin, at=desk.clock.now())
    with pytest.raises(BadInput):
        safeguards.save("[[rule]]", after=1, actor=admin, at=desk.clock.now())
    assert [rule.name for rule in safeguards.policy().rules] == ["Lakepost"]
    adopt(desk, "")
    assert safeguards.policy().rules == ()
    assert [each.number for each in safeguards.saved()] == [2, 1]


@pytest.mark.parametrize("role", [Role.MARKETER, Role.AUTHOR])
def test_who_may_not_set_it_gets_nothing(desk: Desk, role: Role) -> None:
    [ada] = desk.admit("ada")
    actor: Any = office.staff(desk.organization, role)
    with pytest.raises(NotFound):
        safeguards.save("", after=0, actor=actor, at=desk.clock.now())
    with pytest.raises(NotFound):
        safeguards.set_wish(ada, Protection.PORTAL, actor=actor, at=desk.clock.now())
    assert safeguards.wishes([ada]) == {}


def test_less_than_the_law_cannot_be_wished(desk: Desk) -> None:
    [ada] = desk.admit("ada")
    staff = office.staff(desk.organization, Role.PRIVACY_OFFICER)
    with pytest.raises(BadInput):
        safeguards.set_wish(ada, Protection.NAMED, actor=staff, at=desk.clock.now())
