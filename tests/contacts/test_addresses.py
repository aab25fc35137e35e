"""Addresses have one spelling; the fast path agrees with the libraries on everything."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.contacts import addresses
from salus.contacts.addresses import normalize_email, normalize_phone
from salus.kernel.errors import BadInput


def answer(function: Callable[[], str]) -> str | None:
    try:
        return function()
    except BadInput:
        return None


LOCAL = st.text("abcXYZ019._+-'é\u212a ", max_size=70)
DOMAIN = st.lists(st.text("abz09-é", min_size=1, max_size=8), min_size=1, max_size=4).map(".".join)
TLD = st.sampled_from(["org", "test", "example", "c", "1x", "xn--p1ai", "local", ""])


@settings(max_examples=250, deadline=None)
@given(LOCAL, DOMAIN, TLD)
def test_the_fast_path_says_what_the_library_says(local: str, domain: str, tld: str) -> None:
    text = f"{local}@{domain}.{tld}"

    fast = answer(lambda: normalize_email(text, laboratory=True))
    slow = answer(lambda: addresses._library_email(text.strip()))

    assert fast == slow


@settings(max_examples=100, deadline=None)
@given(st.emails())
def test_normalizing_twice_changes_nothing(text: str) -> None:
    once = answer(lambda: normalize_email(text, laboratory=True))

    assert once is None or normalize_email(once, laboratory=True) == once


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  Amalthea.Quandreth@Lakepost.TEST ", "amalthea.quandreth@lakepost.test"),
        ("o'brien@x.org", "o'brien@x.org"),
        ("a@münchen.de", "a@xn--mnchen-3ya.de"),
    ],
)
def test_an_address_has_one_spelling(text: str, normal: str) -> None:
    assert normalize_email(text, laboratory=True) == normal


@pytest.mark.parametrize(
    "text", ["", "a", "a@b", "a b@c.org", "a@c..org", "ü@c.org", "a@c.org, d@c.org", '"a b"@c.org']
)
def test_what_is_no_address_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        normalize_email(text, laboratory=True)

    assert str(refused.value) == "is not an e-mail address"


@pytest.mark.parametrize("domain", ["lakepost.test", "a.example", "example.org", "mail.example.com"])
def test_reserved_names_are_for_laboratories_only(domain: str) -> None:
    assert normalize_email(f"a@{domain}", laboratory=True) == f"a@{domain}"
    with pytest.raises(BadInput, match="reserved for tests"):
        normalize_email(f"a@{domain}", laboratory=False)


DIGITS = st.text("0123456789", min_size=7, max_size=11)


@settings(max_examples=200, deadline=None)
@given(DIGITS, st.sampled_from(["{0}", "+1{0}", "1-{0}", "({1}) {2}", "{1}-{2}", "{1}.{2}", "{1} {2} x3"]))
def test_the_fast_path_of_phones_says_what_the_library_says(digits: str, form: str) -> None:
    text = form.format(digits, digits[:3], digits[3:])

    assert answer(lambda: normalize_phone(text)) == answer(lambda: addresses._library_phone(text, "US"))


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("555-810-7203", "+15558107203"),
        ("(415) 555-0132", "+14155550132"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_a_possible_phone_becomes_e164(text: str, normal: str) -> None:
    assert normalize_phone(text) == normal


@pytest.mark.parametrize("text", ["", "call me", "123", "415-555-0132 ext 9", "1" * 20])
def test_what_is_no_phone_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is not a phone number"):
        normalize_phone(text)
