"""SCIM filters and patches, without a database: what fits, what changes, and what is refused."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.identity.scim_filter import LONGEST, parse
from salus.identity.scim_patch import Refused, apply
from salus.kernel.errors import BadInput

PERSON: dict[str, Any] = {
    "id": "Ab1",
    "userName": "Nora.Quist@cedar.example.org",
    "displayName": "Nora Quist",
    "active": True,
    "name": {"givenName": "Nora", "familyName": "Quist"},
    "emails": [{"value": "nora@cedar.example.org", "type": "work", "primary": True}],
    "roles": [{"value": "author"}, {"value": "analyst"}],
    "meta": {"created": "2026-11-24T10:00:00Z"},
}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ('userName eq "nora.quist@CEDAR.example.org"', True),
        ('USERNAME Eq "nora.quist@cedar.example.org"', True),
        ('urn:ietf:params:scim:schemas:core:2.0:User:userName sw "nora"', True),
        ('id eq "ab1"', False),
        ('id eq "Ab1"', True),
        ("active eq true", True),
        ('active eq "False"', False),
        ('name.familyName co "uis"', True),
        ('name.familyName ew "x"', False),
        ('roles eq "author"', True),
        ('roles.value ne "author"', False),
        ('emails[type eq "work" and value co "@cedar"]', True),
        ('emails[type eq "home"] or roles eq "analyst"', True),
        ("externalId pr", False),
        ("externalId eq null", True),
        ("title pr or displayName pr", True),
        ('not (userName sw "nora") or active eq true and displayName eq "x"', False),
        ('meta.created gt "2026-11-24T12:30:00+03:00"', True),
        ('meta.created lt "yesterday"', False),
        ('displayName gt "Mara" and displayName le "nora quist"', True),
        ('displayName eq "Nora \\u0051uist"', True),
        ("active gt 3", False),
    ],
)
def test_a_filter_lets_through_what_it_says(text: str, fits: bool) -> None:
    assert parse(text).fits(PERSON) is fits


@pytest.mark.parametrize(
    "text",
    [
        "userName",
        "userName eq",
        "userName like 3",
        'userName eq "open',
        '(userName eq "a"',
        'userName eq "a")',
        'emails[type eq "work"',
        "not userName pr",
        "and",
        '"a" eq "b"',
        'userName eq "a" userName eq "b"',
        "userName eq 'a'",
        'userName eq "\\ud800"',
        'userName eq "\\u0000"',
        'userName eq "\\q"',
        "(" * 50 + "a pr" + ")" * 50,
        "a pr or " * LONGEST + "a pr",
    ],
)
def test_what_is_no_filter_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(text)
    assert refused.value.place == "filter"


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    with contextlib.suppress(BadInput):
        parse(text).fits(PERSON)


def patched(*operations: object) -> dict[str, Any]:
    known = ("userName", "displayName", "active", "name", "roles", "emails", "id")
    return apply(PERSON, list(operations), known=known, fixed=("id",))


def test_operations_add_replace_and_remove_and_leave_the_resource_alone() -> None:
    after = patched(
        {"op": "Replace", "value": {"active": "False", "name.givenName": "Elin", "department": "X"}},
        {"op": "add", "path": "roles", "value": [{"value": "auditor"}, {"value": "author"}]},
        {"op": "remove", "path": 'roles[value eq "analyst"]'},
        {"op": "replace", "path": 'emails[type eq "work"].value', "value": "elin@cedar.example.org"},
        {"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:displayName", "value": "Elin"},
        {"op": "remove", "path": "name.familyName"},
    )
    assert after["active"] == "False"
    assert after["name"] == {"givenName": "Elin"}
    assert [each["value"] for each in after["roles"]] == ["author", "auditor"]
    assert after["emails"][0]["value"] == "elin@cedar.example.org"
    assert after["displayName"] == "Elin"
    assert PERSON["roles"] == [{"value": "author"}, {"value": "analyst"}]


def test_a_removal_with_a_value_takes_out_only_what_it_names() -> None:
    named = patched({"op": "remove", "path": "roles", "value": [{"value": "author"}]})
    assert named["roles"] == [{"value": "analyst"}]
    assert patched({"op": "remove", "path": "roles"})["roles"] == []
    assert patched({"op": "replace", "path": "roles", "value": "author"})["roles"] == [{"value": "author"}]


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "move", "path": "roles"}, "invalidSyntax"),
        ("replace", "invalidSyntax"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "replace", "path": "roles[", "value": []}, "invalidPath"),
        ({"op": "replace", "path": 3, "value": {}}, "invalidPath"),
        ({"op": "replace", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": 'roles[value eq "x"]', "value": {"display": "X"}}, "noTarget"),
        ({"op": "replace", "path": 'roles[value eq "author"]', "value": 4}, "invalidValue"),
        ({"op": "replace", "path": 'userName[value eq "x"]', "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "id", "value": "other"}, "mutability"),
    ],
)
def test_an_operation_that_will_not_do_has_its_scim_type(operation: object, scim_type: str) -> None:
    with pytest.raises(Refused) as refused:
        patched(operation)
    assert refused.value.scim_type == scim_type


@pytest.mark.parametrize("operations", [None, [], {}, [{"op": "remove", "path": "roles"}] * 1001])
def test_operations_are_a_list_of_some(operations: object) -> None:
    with pytest.raises(Refused):
        apply(PERSON, operations, known=(), fixed=())
