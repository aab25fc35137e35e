"""Tokens: opaque, bound to purpose and organization, with an end, and one refusal for every fault."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.keys import api as keys
from salus.keys import keysets, tokens
from salus.platform.tenancy import acting_for

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
ORGANIZATION = UUID("01956f5e-0000-7000-8000-000000000001")
SEALER = keysets.AeadSealer([keysets.new_aead_keyset()])
HOUR = timedelta(hours=1)


def make(payload: bytes = b"payload", purpose: str = "open", lifetime: timedelta = HOUR) -> str:
    return tokens.seal(SEALER, ORGANIZATION, purpose, payload, lifetime=lifetime, now=NOW)


@given(st.binary(max_size=200), st.text(max_size=20))
@settings(max_examples=100, deadline=None)
def test_a_token_carries_its_payload_in_url_safe_letters(payload: bytes, purpose: str) -> None:
    text = make(payload, purpose)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    opened = tokens.open_(SEALER, text, purpose, NOW)
    assert (opened.organization_id, opened.purpose, opened.payload) == (ORGANIZATION, purpose, payload)
    assert tokens.organization_of(text) == ORGANIZATION


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_letter_of_a_token_can_be_changed_dropped_or_added(data: st.DataObject) -> None:
    text = make()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABab01-_"))
    for bent in (text[:place] + letter + text[place + 1 :], text[:place] + text[place + 1 :], text + letter):
        if bent != text:
            with pytest.raises(BadInput):
                tokens.open_(SEALER, bent, "open", NOW)


@given(st.text(max_size=200))
def test_noise_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        tokens.open_(SEALER, text, "open", NOW)


def test_every_refusal_says_the_same() -> None:
    other = keysets.AeadSealer([keysets.new_aead_keyset()])
    said = set()
    for sealer, text, purpose, at in (
        (SEALER, make(), "click", NOW),
        (SEALER, make(), "open", NOW + HOUR),
        (other, make(), "open", NOW),
        (SEALER, make() + "A", "open", NOW),
        (SEALER, make()[:-1], "open", NOW),
        (SEALER, "", "open", NOW),
        (SEALER, "é", "open", NOW),
        (SEALER, "A" * 10_000, "open", NOW),
        (SEALER, make() + "==", "open", NOW),
    ):
        with pytest.raises(BadInput) as refusal:
            tokens.open_(sealer, text, purpose, at)
        said.add(str(refusal.value))
    assert len(said) == 1


def test_a_token_ends_at_its_time() -> None:
    text = make()
    assert tokens.open_(SEALER, text, "open", NOW + HOUR - timedelta(milliseconds=1)).payload == b"payload"
    with pytest.raises(BadInput):
        tokens.open_(SEALER, text, "open", NOW + HOUR)


def test_a_token_cannot_be_moved_to_another_organization() -> None:
    raw = bytearray(base64.urlsafe_b64decode(make() + "=="))
    raw[1:17] = new_id().bytes
    with pytest.raises(BadInput):
        tokens.open_(SEALER, base64.urlsafe_b64encode(raw).decode().rstrip("="), "open", NOW)


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-1), timedelta(days=401)])
def test_no_token_outlives_its_key_or_is_born_dead(lifetime: timedelta) -> None:
    with pytest.raises(ValueError):
        make(lifetime=lifetime)


def test_what_a_token_says_is_not_in_its_text_or_its_description() -> None:
    opened = tokens.open_(SEALER, make(b"secret"), "open", NOW)
    assert "secret" not in repr(opened)
    assert b"secret" not in base64.urlsafe_b64decode(make(b"secret") + "==")


def test_a_token_opens_without_an_organization_in_context(organization: UUID) -> None:
    with acting_for(organization):
        text = keys.seal_token("click", b"42", lifetime=HOUR, clock=FakeClock(NOW))
    assert keys.organization_of_token(text) == organization
    assert keys.open_token(text, "click", NOW).payload == b"42"
    with acting_for(organization):
        assert keys.open_token(text, "click", NOW).payload == b"42"


def test_a_token_of_another_organization_than_the_one_in_context_is_refused(
    organization: UUID, other_organization: UUID
) -> None:
    with acting_for(organization):
        text = keys.seal_token("click", b"42", lifetime=HOUR, clock=FakeClock(NOW))
    with acting_for(other_organization), pytest.raises(BadInput):
        keys.open_token(text, "click", NOW)


def test_a_token_that_names_an_organization_that_is_not_there_is_refused_alike(organization: UUID) -> None:
    with acting_for(organization):
        text = keys.seal_token("click", b"42", lifetime=HOUR, clock=FakeClock(NOW))
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[1:17] = new_id().bytes
    with pytest.raises(BadInput, match="not valid"):
        keys.open_token(base64.urlsafe_b64encode(raw).decode().rstrip("="), "click", NOW)


def test_token_keys_rotate_monthly_and_end_after_thirteen_months(organization: UUID) -> None:
    from salus.kernel.time import SystemClock
    from salus.keys.models import KeyRow

    start = SystemClock().now()

    def age(days: int) -> None:
        with acting_for(organization):
            keys.age_token_keys(clock=FakeClock(start + timedelta(days=days)))

    with acting_for(organization):
        text = keys.seal_token("click", b"42", lifetime=timedelta(days=400))
    age(10)
    with acting_for(organization):
        assert KeyRow.objects.filter(kind="token").count() == 1
    age(32)
    age(33)
    with acting_for(organization):
        assert sorted(KeyRow.objects.filter(kind="token").values_list("version", "status")) == [
            (1, "retired"),
            (2, "active"),
        ]
    assert keys.open_token(text, "click", start + timedelta(days=399)).payload == b"42"
    age(431)
    assert keys.open_token(text, "click", start + timedelta(days=399)).payload == b"42"
    age(433)
    with pytest.raises(BadInput):
        keys.open_token(text, "click", start + timedelta(days=399))
