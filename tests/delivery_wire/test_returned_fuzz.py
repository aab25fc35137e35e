"""Whatever the internet returns: no reader crashes, takes long or much memory; what once did is kept here."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salus.delivery.arf import Complaint, parse
from salus.delivery.dsn import MAX_OCTETS, Dsn, NoReport
from salus.delivery.parts import MAX_PARTS, flatten, header_fields, read_part
from salus.delivery.return_paths import local_part, message_of
from salus.delivery.returns import read
from salus.keys.contracts import Blinder

PIECES = st.sampled_from(
    [
        b"Content-Type: multipart/report; boundary=b\r\n",
        b'Content-Type: multipart/mixed; boundary="b"\r\n',
        b"Content-Type: message/delivery-status\r\n",
        b"Content-Type: message/feedback-report\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Feedback-Type: abuse\r\n",
        b"Original-Mail-From: <bounces+x@clinic.example>\r\n",
        b"Return-Path: <>\r\n",
        b"Auto-Submitted: auto-replied\r\n",
        b"X-Failed-Recipients: a@b.example\r\n",
        b"Final-Recipient: rfc822; a@b.example\r\n",
        b"Action: failed\r\n",
        b"Status: 5.1.1\r\n",
        b"Status: 9.999999.9\r\n",
        b"Diagnostic-Code: smtp; 550 5.1.1 no\r\n",
        b"Subject: Undelivered Mail\r\nFrom: MAILER-DAEMON@b.example\r\n",
        b"--b\r\n",
        b"--b--\r\n",
        b"\r\n",
        b"\n\n",
        b" folded\r\n",
        b"=\r\n",
        b"====",
        b"\x00\xff\xfe",
        b":",
    ]
)
MAIL = st.lists(st.one_of(PIECES, st.binary(max_size=40)), max_size=40).map(b"".join)
LARGE = [
    b"Content-Type: multipart/report; boundary=b\r\n\r\n" + b"--b\r\n" * 200_000,
    b"Content-Type: multipart/report; boundary=b\r\n\r\n"
    + b"--b\r\nContent-Type: multipart/report; boundary=b\r\n\r\n" * 20_000,
    b"Subject: " + b" \r\n" * 300_000,
    b"X: y\r\n" * 200_000,
    b"Content-Type: message/feedback-report\r\n\r\n" + b"Feedback-Type:" * 80_000,
    b"Content-Type: message/feedback-report\r\n\r\nOriginal-Mail-From: " + b"a@" * 400_000,
    b"Content-Type: message/delivery-status\r\n\r\n" + b"Action: failed\r\n\r\n" * 60_000,
    b"Content-Type: message/delivery-status\r\n\r\nStatus: " + b"5." * 400_000,
    b"Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"QUFB" * 250_000,
    b"X-Failed-Recipients: " + b"a@b.example," * 80_000,
    b"Return-Path: <>\nSubject: undeliverable\n\n" + b"mailer-daemon" * 80_000,
    b"Return-Path: <>\nSubject: undeliverable\n\n" + b"mailer-daemon@\n" * 70_000,
    b"\r\n" * 500_000,
    b"\x00" * 1_000_000,
]


class Keyed:
    """Stands in for the organization's keyed function."""

    def __init__(self, key: bytes = b"\x07") -> None:
        self._key = key

    def blind(self, kind: str, value: str) -> bytes:
        """Return 16 octets that depend on key, kind and value."""
        import hashlib

        return hashlib.blake2b(f"{kind} {value}".encode(), key=self._key, digest_size=16).digest()

    def candidates(self, kind: str, value: str) -> tuple[bytes, ...]:
        """Return what an older and the present key make of it."""
        return (self.blind(kind, value), Keyed(b"\x01").blind(kind, value))


@given(MAIL)
@settings(max_examples=200, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
def test_no_message_breaks_a_reader(raw: bytes) -> None:
    found = read(raw)
    assert isinstance(found, Complaint | Dsn | NoReport)
    if isinstance(found, Dsn):
        assert found.reports
    assert isinstance(parse(raw), Complaint | None)


@given(MAIL)
@settings(max_examples=100, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
def test_every_part_is_bounded(raw: bytes) -> None:
    parts = flatten(read_part(raw.decode("latin-1")))
    assert 1 <= len(parts) <= MAX_PARTS
    for part in parts:
        part.text()
        header_fields(part.body)


@pytest.mark.parametrize("number", range(len(LARGE)))
def test_what_is_large_takes_neither_long_nor_much_memory(number: int) -> None:
    begun = time.process_time()
    read(LARGE[number])
    assert time.process_time() - begun < 1.5
    tracemalloc.start()
    try:
        read(LARGE[number][: MAX_OCTETS // 4])
        assert tracemalloc.get_traced_memory()[1] < 24 * MAX_OCTETS
    finally:
        tracemalloc.stop()


@given(st.uuids())
def test_a_return_path_names_its_message_whatever_became_of_its_case(message_id: object) -> None:
    from uuid import UUID

    assert isinstance(message_id, UUID)
    keyed: Blinder = Keyed()
    local = local_part(message_id, keyed)
    assert len(local) <= 64
    assert message_of(local, keyed) == message_of(local.upper(), keyed) == message_id
    assert (
        message_of(local_part(message_id, Keyed(b"\x01")), keyed) == message_id
    )  # by a key that has retired
    assert message_of(local_part(message_id, Keyed(b"\x02")), keyed) is None


@given(st.uuids(), st.integers(8, 55), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_return_path_with_one_other_letter_is_forged(message_id: object, place: int, letter: str) -> None:
    from uuid import UUID

    assert isinstance(message_id, UUID)
    local = local_part(message_id, Keyed())
    other = local[:place] + letter + local[place + 1 :]
    assert (message_of(other, Keyed()) is None) == (other != local)


@given(st.text(max_size=80))
def test_no_other_local_part_is_a_return_path(text: str) -> None:
    assert message_of(text, Keyed()) is None
    assert message_of(f"bounces+{text}", Keyed()) is None
