"""The addresses of the draft's own example, and of mail addresses that are unusual."""

from __future__ import annotations

import pytest

from salus.sealedmail.formats.wkd import places


def test_the_example_of_the_draft() -> None:
    found = places("Joe.Doe@Example.ORG")
    name = "iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe"
    assert found.advanced == f"https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/{name}"
    assert found.direct == f"https://example.org/.well-known/openpgpkey/hu/{name}"


@pytest.mark.parametrize(
    ("address", "said"), [("a+b@x.test", "a%2Bb"), ("a/../b@x.test", "a%2F..%2Fb"), ("ñ@x.test", "%C3%B1")]
)
def test_what_a_local_part_may_hold_stays_within_the_query(address: str, said: str) -> None:
    assert places(address).direct.endswith(f"?l={said}")
