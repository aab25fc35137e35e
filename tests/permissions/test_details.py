"""Bad entries are refused with the place of the fault, before anything is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel
from salus.permissions.contracts import EntryKind, NewEntry
from salus.permissions.details import SHAPES, check

from .cast import DAY, GOOD_FORM, NOW, ROSA
from .test_standing import WARNED

K = EntryKind
OPT_IN = NewEntry(ROSA, K.OPT_IN, NOW, "web form", topic="newsletter", channel=Channel.EMAIL)
AUTHORIZATION = NewEntry(ROSA, K.AUTHORIZATION, NOW, "paper", valid_until=NOW + DAY, details=GOOD_FORM)


def test_every_kind_has_a_shape() -> None:
    assert set(SHAPES) == set(EntryKind)


@pytest.mark.parametrize("good", [OPT_IN, AUTHORIZATION, replace(OPT_IN, details={"record": {"ip": "::1"}})])
def test_good_entries_pass(good: NewEntry) -> None:
    check(good)


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        (replace(OPT_IN, at=datetime(2026, 1, 1)), "at"),  # noqa: DTZ001
        (replace(OPT_IN, valid_until=NOW), "valid_until"),
        (replace(OPT_IN, evidence=" "), "evidence"),
        (replace(OPT_IN, topic=""), "topic"),
        (replace(OPT_IN, topic="*"), "topic"),
        (replace(OPT_IN, topic="x" * 81), "topic"),
        (replace(OPT_IN, channel=None), "channel"),
        (replace(OPT_IN, ends=new_id()), "ends"),
        (replace(OPT_IN, details={"colour": "red"}), "details.colour"),
        (replace(AUTHORIZATION, topic="newsletter"), "topic"),
        (replace(AUTHORIZATION, channel=Channel.EMAIL), "channel"),
        (replace(AUTHORIZATION, details={}), "details.purposes"),
        (replace(AUTHORIZATION, details=GOOD_FORM | {"purposes": ["world domination"]}), "details.purposes"),
        (replace(AUTHORIZATION, details=GOOD_FORM | {"signed_at": "10.1.2026"}), "details.signed_at"),
        (
            replace(AUTHORIZATION, details=GOOD_FORM | {"signed_at": "2026-01-10T10:00:00"}),
            "details.signed_at",
        ),
        (replace(AUTHORIZATION, details=GOOD_FORM | {"sale": "yes"}), "details.sale"),
        (replace(AUTHORIZATION, details=GOOD_FORM | {"form_state": "California"}), "details.form_state"),
        (NewEntry(ROSA, K.OPT_OUT, NOW, "call", topic="*", valid_until=NOW + DAY), "valid_until"),
        (NewEntry(ROSA, K.SUPPRESSION, NOW, "bounce", channel=Channel.EMAIL), "details.reason"),
        (
            NewEntry(ROSA, K.UNENCRYPTED_PREFERENCE, NOW, "portal", channel=Channel.EMAIL, details=WARNED),
            "valid_until",
        ),
        (NewEntry(ROSA, K.CONFIDENTIAL_ADDRESS, NOW, "letter", channel=Channel.EMAIL), "details.value"),
        (
            NewEntry(ROSA, K.CONFIDENTIAL_ADDRESS, NOW, "letter", details={"value": "a@b.example"}),
            "details.value",
        ),
        (NewEntry(ROSA, K.REPRESENTATIVE, NOW, "court", channel=Channel.EMAIL), "details.value"),
    ],
)
def test_a_bad_entry_names_the_place(bad: NewEntry, place: str) -> None:
    with pytest.raises(BadInput) as caught:
        check(bad, "line 7")
    assert caught.value.place == f"line 7: {place}"


def test_a_minor_with_a_channel_of_their_own_needs_no_representatives_address() -> None:
    details: dict[str, Any] = {"minor_own_channel": True}
    check(NewEntry(ROSA, K.REPRESENTATIVE, NOW, "clinic", channel=Channel.EMAIL, details=details))
