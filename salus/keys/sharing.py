"""Shamir's secret sharing, byte by byte over GF(2^8): any `threshold` shares give the secret, fewer say nothing.

The field is that of AES (x^8 + x^4 + x^3 + x + 1). Each byte of the secret is the value at 0 of a random
polynomial of degree `threshold` - 1; share x holds the values at x (A. Shamir, CACM 22, 1979).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence

MOST = 255
"""The field has that many places beside 0."""


def _tables() -> tuple[bytes, bytes]:
    powers, logarithms = bytearray(510), bytearray(256)
    value = 1
    for power in range(255):
        powers[power] = powers[power + 255] = value
        logarithms[value] = power
        value ^= value << 1  # times 3, which generates all of the field
        if value > 0xFF:
            value ^= 0x11B
    return bytes(powers), bytes(logarithms)


_POWERS, _LOGARITHMS = _tables()


def _times(one: int, other: int) -> int:
    return _POWERS[_LOGARITHMS[one] + _LOGARITHMS[other]] if one and other else 0


def _over(one: int, other: int) -> int:
    return _POWERS[_LOGARITHMS[one] + 255 - _LOGARITHMS[other]] if one else 0


def split(
    secret: bytes, shares: int, threshold: int, random: Callable[[int], bytes] = secrets.token_bytes
) -> dict[int, bytes]:
    """Return `shares` shares of `secret` by number (1, 2...), of which any `threshold` give it back."""
    if not 2 <= threshold <= shares <= MOST:
        raise ValueError("a secret has 2 to 255 shares, and no more are needed than there are")
    coefficients = [secret, *(random(len(secret)) for _ in range(threshold - 1))]
    return {place: _values(coefficients, place) for place in range(1, shares + 1)}


def _values(coefficients: Sequence[bytes], place: int) -> bytes:
    found = bytearray(len(coefficients[0]))
    for row in reversed(coefficients):
        for index, coefficient in enumerate(row):
            found[index] = _times(found[index], place) ^ coefficient
    return bytes(found)


def combine(shares: Mapping[int, bytes], at: int = 0) -> bytes:
    """Return the value at `at` (0: the secret) of the polynomials that go through `shares`.

    Fewer shares than the threshold, or a wrong one, give other bytes and no error: the secret must say
    itself whether it is whole.
    """
    found = bytearray(len(next(iter(shares.values()))))
    for place, share in shares.items():
        weight = 1
        for other in shares:
            if other != place:
                weight = _times(weight, _over(other ^ at, other ^ place))
        for index, value in enumerate(share):
            found[index] ^= _times(value, weight)
    return bytes(found)
