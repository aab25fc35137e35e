"""Sealing and blinding, without a database."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.keys import api as keys
from salus.keys import keysets

KEYSET = keysets.new_aead_keyset()
SEALER = keysets.AeadSealer([KEYSET])
BLINDER = keysets.PrfBlinder([keysets.new_prf_keyset()])
CANARY = b"canary-7f3a"


@given(st.binary(max_size=2000), st.binary(max_size=100))
@settings(max_examples=100, deadline=None)
def test_what_is_sealed_opens_again_and_never_seals_the_same_twice(plaintext: bytes, place: bytes) -> None:
    sealed = SEALER.seal(plaintext, place)
    assert SEALER.open(sealed, place) == plaintext
    assert SEALER.open(cast("bytes", memoryview(sealed)), place) == plaintext  # as the database hands it over
    assert len(sealed) == len(plaintext) + 33
    assert SEALER.seal(plaintext, place) != sealed


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_bent_ciphertext_or_place_opens_nothing_and_shows_nothing(data: st.DataObject) -> None:
    sealed = bytearray(SEALER.seal(CANARY, b"place"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    flipped = bytearray(sealed)
    flipped[place] ^= data.draw(st.integers(1, 255))
    for ciphertext, context in (
        (bytes(flipped), b"place"),
        (bytes(sealed[:place]), b"place"),
        (bytes(sealed) + b"\0", b"place"),
        (bytes(sealed), b"places"),
        (bytes(sealed), b""),
    ):
        with pytest.raises(BadInput) as refusal:
            SEALER.open(ciphertext, context)
        error: BaseException | None = refusal.value
        while error:
            assert "canary" not in repr(error)
            error = error.__cause__ or error.__context__


def test_a_retired_key_opens_what_it_sealed_and_seals_no_more() -> None:
    old = SEALER.seal(CANARY, b"place")
    newer = keysets.AeadSealer([keysets.new_aead_keyset(), KEYSET])
    assert newer.open(old, b"place") == CANARY
    with pytest.raises(BadInput):
        SEALER.open(newer.seal(CANARY, b"place"), b"place")


def test_a_sealer_asks_once_for_a_key_that_it_does_not_know() -> None:
    fresh = keysets.new_aead_keyset()
    asked = []

    def refresh() -> list[bytes]:
        asked.append(1)
        return [fresh, KEYSET]

    behind = keysets.AeadSealer([KEYSET], refresh)
    sealed = keysets.AeadSealer([fresh]).seal(CANARY, b"place")
    assert behind.open(sealed, b"place") == CANARY
    assert behind.open(sealed, b"place") == CANARY
    assert asked == [1]
    with pytest.raises(BadInput):
        behind.open(sealed, b"elsewhere")
    assert asked == [1]  # a known key that does not open is no reason to ask


def test_a_sealer_whose_keys_are_gone_opens_nothing() -> None:
    behind = keysets.AeadSealer([KEYSET], list)
    with pytest.raises(BadInput):
        behind.open(keysets.AeadSealer([keysets.new_aead_keyset()]).seal(CANARY, b""), b"")


@given(st.text(max_size=50), st.text(max_size=50))
@settings(max_examples=100, deadline=None)
def test_a_blind_index_is_steady_short_and_different_for_kind_value_and_organization(
    one: str, other: str
) -> None:
    blind = BLINDER.blind("email", one)
    assert len(blind) == 16
    assert BLINDER.blind("email", one) == blind
    assert BLINDER.blind("phone", one) != blind
    assert (BLINDER.blind("email", other) == blind) == (one == other)
    assert keysets.PrfBlinder([keysets.new_prf_keyset()]).blind("email", one) != blind


def test_after_a_rotation_the_present_index_is_asked_first_and_the_old_one_too() -> None:
    old, new = keysets.new_prf_keyset(), keysets.new_prf_keyset()
    rotated = keysets.PrfBlinder([new, old])
    assert rotated.candidates("mrn", "1") == (
        keysets.PrfBlinder([new]).blind("mrn", "1"),
        keysets.PrfBlinder([old]).blind("mrn", "1"),
    )
    assert rotated.blind("mrn", "1") == rotated.candidates("mrn", "1")[0]


def test_a_binding_tells_organization_table_and_row_apart() -> None:
    one, other = new_id(), new_id()
    bindings = {
        keys.binding(one, "contacts_contact", other),
        keys.binding(other, "contacts_contact", one),
        keys.binding(one, "contacts_contact", one),
        keys.binding(one, "contacts_address", other),
    }
    assert len(bindings) == 4
