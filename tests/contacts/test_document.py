"""What a patch makes of a document: pure, repeatable, and closest to care wins."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.contacts.contracts import ContactPatch
from salus.contacts.document import blind_keys, merge_into, new_document, prepare
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import AddressSource

from .people import SIGNUP, email, patch, phone

TODAY = "2026-11-24"


def ready(one: ContactPatch) -> Any:
    return prepare(one, today=TODAY, laboratory=True)


def document(*patches: ContactPatch) -> dict[str, Any]:
    found = new_document(ready(patches[0]))
    for one in patches[1:]:
        found, _ = merge_into(found, ready(one))
    return found


def values_of(found: dict[str, Any]) -> list[str]:
    return [one["value"] for one in found["addresses"]]


RECORDS = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from("abc")},
        optional={
            "date": st.sampled_from(["2020-01-01", "2024-05-06"]),
            "status": st.sampled_from(["active", "entered-in-error"]),
        },
    ),
    max_size=4,
).map(tuple)
PATCHES = st.builds(
    lambda addresses, mrn, city, income, records, adds: patch(
        *addresses,
        mrn=mrn,
        **({"city": city} if city else {}),
        income=income,
        records={"labs": records} if records else {},
        adds={"risk_factors": adds} if adds else {},
    ),
    st.lists(
        st.builds(
            email, st.sampled_from(["a@x.test", "b@x.test", "c@x.test"]), st.sampled_from(AddressSource)
        ),
        max_size=3,
    ),
    st.sampled_from(["", "1", "2"]),
    st.sampled_from(["", "Olathe", "Emporia"]),
    st.sampled_from([None, 1, 2]),
    RECORDS,
    st.lists(st.sampled_from(["smoker", "stress"]), max_size=2).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PATCHES, min_size=1, max_size=4))
def test_the_same_patch_again_changes_nothing(patches: list[ContactPatch]) -> None:
    before = document(*patches)
    after, changed = merge_into(before, ready(patches[-1]))

    assert after == before
    assert not changed


@settings(max_examples=100, deadline=None)
@given(PATCHES)
def test_a_new_document_is_what_merging_into_nothing_gives(one: ContactPatch) -> None:
    assert new_document(ready(one)) == {
        key: value for key, value in merge_into({}, ready(one))[0].items() if value != []
    }


@settings(max_examples=100, deadline=None)
@given(PATCHES, PATCHES)
def test_merging_keeps_the_document_that_was_given(first: ContactPatch, second: ContactPatch) -> None:
    before = document(first)
    copy = dict(before)
    merge_into(before, ready(second))

    assert before == copy


def test_none_takes_a_value_away_and_silence_does_not() -> None:
    assert "city" not in document(patch(mrn="1", city="Olathe"), patch(mrn="1", city=None))
    assert document(patch(mrn="1", city="Olathe"), patch(mrn="1", gender="f"))["city"] == "Olathe"


def test_a_default_speaks_only_where_nobody_has_spoken() -> None:
    prospect = {"relation": "prospect"}

    assert document(patch(mrn="1", defaults=prospect))["relation"] == "prospect"
    assert (
        document(patch(mrn="1", relation="patient"), patch(mrn="1", defaults=prospect))["relation"]
        == "patient"
    )


def test_a_record_is_replaced_by_its_id_and_removed_when_it_was_an_error() -> None:
    first = patch(mrn="1", records={"labs": ({"id": "a", "value": 7}, {"id": "b", "date": "2020-01-01"})})
    second = patch(
        mrn="1", records={"labs": ({"id": "a", "value": 8}, {"id": "b", "status": "entered-in-error"})}
    )

    assert document(first, second)["labs"] == [{"id": "a", "value": 8}]


def test_records_stand_oldest_first() -> None:
    records = (
        {"id": "z", "date": "2024-01-01"},
        {"id": "a", "date": "2025-01-01"},
        {"id": "m", "date": "2020-01-01"},
    )

    assert [one["id"] for one in document(patch(mrn="1", records={"labs": records}))["labs"]] == [
        "m",
        "z",
        "a",
    ]


def test_a_source_that_speaks_again_replaces_what_it_said() -> None:
    found = document(patch(email("old@x.test"), mrn="1"), patch(email("new@x.test"), mrn="1"))

    assert values_of(found) == ["new@x.test"]


def test_another_source_adds_and_the_one_closest_to_care_stands_first() -> None:
    found = document(patch(email("web@x.test", SIGNUP), mrn="1"), patch(email("desk@x.test"), mrn="1"))

    assert values_of(found) == ["desk@x.test", "web@x.test"]


def test_an_address_known_from_care_stays_so_when_a_form_names_it_too() -> None:
    found = document(patch(email("a@x.test"), mrn="1"), patch(email("a@x.test", SIGNUP), mrn="1"))

    assert [one["source"] for one in found["addresses"]] == ["clinical_encounter"]


def test_a_phone_does_not_replace_an_email() -> None:
    found = document(patch(email("a@x.test"), mrn="1"), patch(phone("(415) 555-0132"), mrn="1"))

    assert values_of(found) == ["a@x.test", "+14155550132"]
    assert set(blind_keys(found)) == {("email", "a@x.test"), ("phone", "+14155550132"), ("id:mrn", "1")}


@pytest.mark.parametrize(
    ("one", "place"),
    [
        (patch(email("nonsense"), mrn="1"), "email"),
        (patch(phone("12"), mrn="1"), "phone"),
        (patch(mrn="1", birth_date="2027-01-01"), "birth_date"),
        (patch(mrn="1", gender="frog"), "gender"),
        (patch(mrn="1", shoe_size=42), "shoe_size"),
        (patch(mrn="1", records={"labs": ({"value": 1},)}), "labs"),
        (patch(mrn="x" * 129), "mrn"),
    ],
)
def test_a_faulty_patch_is_refused_with_the_field_at_fault(one: ContactPatch, place: str) -> None:
    with pytest.raises(BadInput) as refused:
        ready(one)

    assert refused.value.place == place
