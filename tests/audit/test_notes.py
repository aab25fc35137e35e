"""Signed notes against the published example, and checkpoints as text."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from salus.audit import notes
from salus.kernel.errors import BadInput

# The example of C2SP signed-note and of Go's sumdb/note.
NAME = "PeterNeumann"
VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PRIVATE = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = (
    TEXT + "\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
PUBLIC = base64.b64decode(VERIFIER.split("+", 2)[2])[1:]
KEY = Ed25519PrivateKey.from_private_bytes(base64.b64decode(PRIVATE)[1:])
STATEMENT = notes.Statement("salus/log", 3, bytes(range(32)))


def test_the_published_key_and_note_come_out_byte_for_byte() -> None:
    assert notes.verifier_key(NAME, PUBLIC) == VERIFIER
    assert notes.sign(TEXT, NAME, PUBLIC, KEY.sign) == NOTE


def test_the_published_note_is_read_and_its_signature_verifies() -> None:
    text, (signature,) = notes.parse(NOTE)
    assert (text, signature.name, signature.key_id.hex()) == (TEXT, NAME, "c74f20a3")
    Ed25519PublicKey.from_public_bytes(PUBLIC).verify(signature.signature, text.encode())


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        NOTE.rstrip("\n"),
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace("Neumann ", "Neumann"),
        NOTE.replace("x08go", "*08go"),
        NOTE.replace("— PeterNeumann", "— Peter+Neumann"),
        TEXT + "\n— PeterNeumann AAAA\n",
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(BadInput):
        notes.parse(note)


def test_a_key_name_with_a_space_or_a_plus_signs_nothing() -> None:
    for name in ("", "a b", "a+b"):
        with pytest.raises(ValueError):
            notes.sign(TEXT, name, PUBLIC, KEY.sign)


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_a_statement_survives_being_written(size: int, root: bytes) -> None:
    statement = notes.Statement("salus/log", size, root)
    assert notes.parse_statement(notes.statement_text(statement)) == statement


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n3\n", "\n03\n"),
        ("\n3\n", "\n-3\n"),
        ("\n3\n", "\n³\n"),
        ("\n3\n", "\n\n"),
        ("\n3\n", "\n" + "9" * 5000 + "\n"),
        ("AAEC", "AAE"),
        ("AAEC", "AAECAAEC"),
        ("salus/log\n", "\n"),
    ],
)
def test_a_bent_statement_is_refused_with_its_place(old: str, new: str) -> None:
    with pytest.raises(BadInput) as refusal:
        notes.parse_statement(notes.statement_text(STATEMENT).replace(old, new, 1))
    assert refusal.value.place.startswith("checkpoint")


@given(st.integers(0, 5), st.booleans())
def test_notes_one_after_another_come_apart_again(count: int, spaced: bool) -> None:
    one = notes.sign(notes.statement_text(STATEMENT), NAME, PUBLIC, KEY.sign)
    assert notes.split(("\n" if spaced else "").join([one] * count)) == [one] * count


def test_a_torn_last_note_comes_last_and_does_not_read() -> None:
    torn = NOTE[:-20]
    assert notes.split(NOTE + torn) == [NOTE, torn]
    with pytest.raises(BadInput):
        notes.parse(torn)
