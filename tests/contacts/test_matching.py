"""Whose a patch is: by identifier, then by address with birth date or name, else somebody new."""

from __future__ import annotations

from typing import Any

import pytest

from salus.contacts.contracts import ContactPatch
from salus.contacts.document import new_document, prepare
from salus.contacts.matching import (
    MOST_SHARING,
    NOBODY,
    SHARED_ADDRESS,
    TWO_PEOPLE,
    UNFINDABLE,
    Candidate,
    Match,
    match,
)

from .people import email, patch, phone


def ready(one: ContactPatch) -> Any:
    return prepare(one, today="2026-11-24", laboratory=True)


def known(name: str, one: ContactPatch) -> Candidate[str]:
    return Candidate(name, new_document(ready(one)))


MOTHER = known("mother", patch(email("home@x.test"), mrn="1", given_name="Zoldina", birth_date="1980-05-06"))
CHILD = known("child", patch(email("home@x.test"), mrn="2", given_name="Ulvric", birth_date="2014-05-06"))
NAMELESS = known("nameless", patch(email("home@x.test")))
TWIN = known("twin", patch(email("home@x.test"), given_name="Ulvmar", birth_date="2014-05-06"))


def decide(
    one: ContactPatch, by_identifier: list[Candidate[str]], by_address: list[Candidate[str]]
) -> Match[str]:
    return match(ready(one), by_identifier, lambda: by_address)


def test_an_identifier_decides_whatever_else_is_said() -> None:
    changed = patch(email("new@x.test"), mrn="1", given_name="Other", birth_date="1999-01-02")

    assert decide(changed, [MOTHER], []) == Match("mother")


def test_identifiers_of_two_people_are_refused() -> None:
    assert decide(patch(mrn="1"), [MOTHER, CHILD], []) == Match(reason=TWO_PEOPLE)


def test_an_email_with_the_birth_date_decides() -> None:
    assert decide(patch(email("home@x.test"), birth_date="2014-05-06"), [], [MOTHER, CHILD]) == Match("child")


def test_an_email_with_another_birth_date_is_somebody_new() -> None:
    assert decide(patch(email("home@x.test"), birth_date="2016-05-06"), [], [MOTHER, CHILD]) == Match()


def test_without_a_birth_date_the_name_decides() -> None:
    assert decide(patch(email("home@x.test"), given_name="zoldina"), [], [MOTHER, CHILD]) == Match("mother")
    assert decide(patch(email("home@x.test"), given_name="Orvin"), [], [MOTHER, CHILD]) == Match()


def test_an_email_alone_decides_when_one_person_has_it() -> None:
    assert decide(patch(email("home@x.test")), [], [MOTHER]) == Match("mother")


def test_an_email_alone_that_several_share_is_refused() -> None:
    assert decide(patch(email("home@x.test")), [], [MOTHER, CHILD]) == Match(reason=SHARED_ADDRESS)


def test_twins_who_share_an_address_are_two_people() -> None:
    other = patch(email("home@x.test"), given_name="Ulvric", birth_date="2014-05-06")

    assert decide(other, [], [TWIN]) == Match()
    assert decide(other, [], [TWIN, CHILD]) == Match("child")


def test_another_record_number_is_another_person() -> None:
    other = patch(email("home@x.test"), mrn="9", given_name="Zoldina", birth_date="1980-05-06")

    assert decide(other, [], [MOTHER]) == Match()


def test_somebody_known_by_an_address_alone_is_completed() -> None:
    told = patch(email("home@x.test"), given_name="Zoldina", birth_date="1980-05-06")

    assert decide(told, [], [NAMELESS]) == Match("nameless")
    assert decide(patch(email("home@x.test")), [], [NAMELESS]) == Match("nameless")


def test_an_address_that_very_many_share_tells_nobody_apart() -> None:
    crowd = [known(str(n), patch(email("home@x.test"), mrn=str(n))) for n in range(MOST_SHARING + 1)]

    assert decide(patch(email("home@x.test"), given_name="Zoldina"), [], crowd) == Match(
        reason=SHARED_ADDRESS
    )
    assert decide(patch(email("home@x.test"), mrn="new"), [], crowd) == Match()


def test_a_phone_decides_when_there_is_no_email() -> None:
    house = known("house", patch(phone("415-555-0132"), given_name="Zoldina"))

    assert decide(patch(phone("(415) 555 0132"), given_name="Zoldina"), [], [house]) == Match("house")


@pytest.mark.parametrize("one", [patch(given_name="Zoldina"), patch(birth_date="1980-05-06")])
def test_who_could_not_be_found_again_is_refused(one: ContactPatch) -> None:
    assert decide(one, [], []) == Match(reason=UNFINDABLE)


def test_a_patch_for_known_people_only_makes_nobody_new() -> None:
    assert decide(patch(mrn="9", create=False), [], []) == Match(reason=NOBODY)
