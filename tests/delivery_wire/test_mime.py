"""Messages built by hand: a conforming parser reads back what was put in, and nothing can be injected."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.delivery.addresses import Mailbox
from salus.delivery.mime import Letter, ListId, Unsubscribe, build
from salus.kernel.errors import BadInput

LETTER = Letter(
    date=datetime(2026, 3, 1, 9, 30, 5, tzinfo=UTC),
    message_id="018f.7a@clinic.example",
    boundary="b0undary1234",
    sender=Mailbox("care@clinic.example", "Riverside Clinic"),
    to=Mailbox("ana@example.org"),
    subject="Your visit",
    text="Hello Ana,\n\nsee you on Monday.\n",
    html="<p>Hello Ana,</p>\n<p>see you on Monday.</p>\n",
)

safe_text = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=200)
body_text = st.text(
    st.one_of(st.characters(exclude_categories=("Cs", "Cc")), st.sampled_from("\n\n\t .=-áé")), max_size=600
)


def parsed(letter: Letter) -> EmailMessage:
    return email.message_from_bytes(build(letter), policy=email.policy.default)


def display_name(built: bytes) -> str:
    """Return the name before the address in To; the newer parser keeps a space between encoded words."""
    raw = email.message_from_bytes(built)["To"].rpartition("<")[0].strip()
    if "=?utf-8?" in raw:
        return str(make_header(decode_header(raw)))
    found = email.message_from_bytes(built, policy=email.policy.default)["to"]
    return str(found.addresses[0].display_name)


def test_the_bytes_of_a_letter_are_written_down_once_and_stay() -> None:
    assert build(LETTER) == (
        b"Date: Sun, 01 Mar 2026 09:30:05 +0000\r\n"
        b"From: Riverside Clinic <care@clinic.example>\r\n"
        b"To: ana@example.org\r\n"
        b"Subject: Your visit\r\n"
        b"Message-ID: <018f.7a@clinic.example>\r\n"
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: multipart/alternative; boundary="=_b0undary1234"\r\n'
        b"\r\n"
        b"--=_b0undary1234\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n"
        b"\r\n"
        b"Hello Ana,\r\n\r\nsee you on Monday.\r\n\r\n"
        b"--=_b0undary1234\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n"
        b"\r\n"
        b"<p>Hello Ana,</p>\r\n<p>see you on Monday.</p>\r\n\r\n"
        b"--=_b0undary1234--\r\n"
    )


def test_all_optional_headers_are_written_where_asked() -> None:
    message = parsed(
        replace(
            LETTER,
            reply_to=Mailbox("desk@clinic.example", "Front desk, 2nd floor"),
            language="es",
            unsubscribe=Unsubscribe(
                "https://clinic.example/u/abc", "mailto:stop@clinic.example?subject=stop"
            ),
            list_id=ListId("Salud y vida", "tips.clinic.example"),
            automatic=True,
        )
    )
    assert message["Reply-To"] == '"Front desk, 2nd floor" <desk@clinic.example>'
    assert message["List-Unsubscribe"] == (
        "<https://clinic.example/u/abc>, <mailto:stop@clinic.example?subject=stop>"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "Salud y vida <tips.clinic.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "es"


def test_without_one_click_no_post_header_is_promised() -> None:
    letter = replace(LETTER, unsubscribe=Unsubscribe("https://clinic.example/u", one_click=False))
    assert parsed(letter)["List-Unsubscribe-Post"] is None


def test_a_letter_without_html_is_plain_text_alone() -> None:
    message = parsed(replace(LETTER, html=""))
    assert message.get_content_type() == "text/plain"
    assert message.get_content().split() == LETTER.text.split()


def test_a_date_with_another_zone_is_written_in_utc() -> None:
    there = datetime(2026, 3, 1, 1, 30, 5, tzinfo=timezone(timedelta(hours=-8)))
    assert build(replace(LETTER, date=there)) == build(LETTER)


@given(subject=safe_text, name=safe_text)
@settings(max_examples=250, deadline=None)
def test_a_parser_reads_back_subject_and_name_to_the_letter(subject: str, name: str) -> None:
    built = build(replace(LETTER, subject=subject, to=Mailbox("ana@example.org", name)))
    head = built.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    message = email.message_from_bytes(built, policy=email.policy.default)
    assert message["subject"] == subject
    assert display_name(built) == name
    assert message["to"].addresses[0].addr_spec == "ana@example.org"
    assert not message["subject"].defects
    assert max(len(line) for line in head.split(b"\r\n")) <= 200


@given(text=body_text, html=body_text.filter(bool))
@settings(max_examples=250, deadline=None)
def test_a_parser_reads_back_both_parts_to_the_letter(text: str, html: str) -> None:
    built = build(replace(LETTER, text=text, html=html))
    assert built.isascii()
    assert built.count(b"\n") == built.count(b"\r\n") == built.count(b"\r")
    assert max(len(line) for line in built.split(b"\r\n")) <= 200
    message = email.message_from_bytes(built, policy=email.policy.default)
    plain, page = message.iter_parts()
    for part, written in ((plain, text), (page, html)):
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        assert payload.decode() == written.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_no_subject_name_or_text_can_add_a_header_or_a_part(evil: str) -> None:
    letter = replace(LETTER, subject=evil, to=Mailbox("ana@example.org", evil), text=evil, html=evil or "x")
    try:
        message = parsed(letter)
    except BadInput:
        return
    assert message.keys() == ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"]
    assert len(list(message.iter_parts())) == 2


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"subject": "Hi\r\nBcc: eve@example.org"}, "subject"),
        ({"subject": "Hi\nthere"}, "subject"),
        ({"subject": "Hi\0"}, "subject"),
        ({"subject": "Hi\ud800"}, "subject"),
        ({"subject": "x" * 501}, "subject"),
        ({"subject": ""}, "subject"),
        ({"to": Mailbox("ana@example.org\r\n", "Ana")}, "to"),
        ({"to": Mailbox("ana@example.org", "Ana\r\nBcc: eve@example.org")}, "to"),
        ({"sender": Mailbox("care@clinic.example", "Care\u2028")}, "sender"),
        ({"reply_to": Mailbox("nobody")}, "reply_to"),
        ({"message_id": "a b@clinic.example"}, "message_id"),
        ({"message_id": "<a@clinic.example>"}, "message_id"),
        ({"message_id": "a@-clinic.example"}, "message_id"),
        ({"boundary": "short"}, "boundary"),
        ({"boundary": 'x"\r\nEvil: yes'}, "boundary"),
        ({"language": "es\r\n"}, "language"),
        ({"date": datetime(2026, 3, 1, 9)}, "date"),  # noqa: DTZ001
        ({"unsubscribe": Unsubscribe("http://clinic.example/u")}, "unsubscribe"),
        ({"unsubscribe": Unsubscribe("https://clinic.example/u>,<https://evil.example")}, "unsubscribe"),
        ({"unsubscribe": Unsubscribe("https://clinic.example/u", "javascript:1")}, "unsubscribe"),
        ({"list_id": ListId("Tips", "not a host")}, "list_id"),
        ({"text": "half a character \ud83d"}, "text"),
        ({"html": "a NUL \0"}, "html"),
    ],
)
def test_what_cannot_be_written_is_refused_naming_its_place(change: dict[str, object], place: str) -> None:
    with pytest.raises(BadInput) as refusal:
        build(replace(LETTER, **change))  # type: ignore[arg-type]
    assert refusal.value.place == place


def test_a_domain_in_another_script_is_written_as_a_label() -> None:
    assert b"To: ana@xn--bcher-kva.example\r\n" in build(replace(LETTER, to=Mailbox("ana@bücher.example")))


def test_a_local_part_in_another_script_is_kept_for_smtputf8() -> None:
    assert "To: josé@example.org\r\n".encode() in build(replace(LETTER, to=Mailbox("josé@example.org")))


def test_text_mostly_outside_ascii_travels_as_base64() -> None:
    assert b"Content-Transfer-Encoding: base64" in build(
        replace(LETTER, text="Ваш визит в понедельник.", html="")
    )
