"""Whatever is put into a field that reaches a header or a command: it is refused, or read back as one value and nothing else."""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import Message

import pytest
import uvloop
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from salus.connect import reading
from salus.connect.contracts import Refused
from salus.delivery.addresses import Mailbox
from salus.delivery.contracts import TlsReport
from salus.delivery.mime import Letter, ListId, Unsubscribe, build
from salus.delivery.reporting import letter as report_letter
from salus.delivery.transports.handover import Fate, HandOver
from salus.delivery.transports.routes import Login
from salus.delivery.transports.session import open_session
from salus.kernel.errors import BadInput
from salus.sealedmail.formats import headers as sealed
from tests.delivery_wire.peers import HOST, NAMED, Wire, always, hand_over, peer, settings

LETTER = Letter(
    date=datetime(2026, 3, 1, 9, 30, 5, tzinfo=UTC),
    message_id="018f7a@clinic.example",
    boundary="b0undary1234",
    sender=Mailbox("care@clinic.example", "Riverside Clinic"),
    to=Mailbox("ana@example.org", "Ana"),
    subject="Your visit",
    text="Hello Ana,\n",
    html="<p>Hello Ana,</p>\n",
    reply_to=Mailbox("desk@clinic.example", "Front desk"),
    language="en",
    unsubscribe=Unsubscribe("https://clinic.example/u/abc", "mailto:stop@clinic.example"),
    list_id=ListId("Tips", "tips.clinic.example"),
    automatic=True,
)
NAMES = ["Date", "From", "Reply-To", "To", "Subject", "Message-ID", "List-Id", "List-Unsubscribe",
         "List-Unsubscribe-Post", "Auto-Submitted", "Content-Language", "MIME-Version", "Content-Type"]  # fmt: skip
LONGEST_LINE = 998
"""Characters, without the line end (RFC 5322, 2.1.1)."""

FIELDS: dict[str, Callable[[str], Letter]] = {
    "subject": lambda evil: replace(LETTER, subject=evil),
    "the clinic's name": lambda evil: replace(LETTER, sender=Mailbox("care@clinic.example", evil)),
    "the clinic's address": lambda evil: replace(LETTER, sender=Mailbox(evil, "Clinic")),
    "the clinic's domain": lambda evil: replace(LETTER, sender=Mailbox(f"care@{evil}", "Clinic")),
    "the recipient's name": lambda evil: replace(LETTER, to=Mailbox("ana@example.org", evil)),
    "the recipient's address": lambda evil: replace(LETTER, to=Mailbox(evil)),
    "the recipient's local part": lambda evil: replace(LETTER, to=Mailbox(f"{evil}@example.org")),
    "the recipient's domain": lambda evil: replace(LETTER, to=Mailbox(f"ana@{evil}")),
    "reply-to's name": lambda evil: replace(LETTER, reply_to=Mailbox("desk@clinic.example", evil)),
    "reply-to's address": lambda evil: replace(LETTER, reply_to=Mailbox(evil)),
    "the list's name": lambda evil: replace(LETTER, list_id=ListId(evil, "tips.clinic.example")),
    "the list's identifier": lambda evil: replace(LETTER, list_id=ListId("Tips", evil)),
    "where to unsubscribe": lambda evil: replace(LETTER, unsubscribe=Unsubscribe(evil)),
    "the path there": lambda evil: replace(LETTER, unsubscribe=Unsubscribe(f"https://clinic.example/{evil}")),
    "whom to write to": lambda evil: replace(LETTER, unsubscribe=Unsubscribe("https://clinic.example/u", f"mailto:{evil}")),
    "Message-ID": lambda evil: replace(LETTER, message_id=evil),
    "the host in Message-ID": lambda evil: replace(LETTER, message_id=f"018f7a@{evil}"),
    "language": lambda evil: replace(LETTER, language=evil),
    "boundary": lambda evil: replace(LETTER, boundary=evil),
    "text": lambda evil: replace(LETTER, text=evil),
    "HTML": lambda evil: replace(LETTER, html=evil or "x"),
}  # fmt: skip
EVIL = {
    "CR LF": "a\r\nBcc: eve@evil.example",
    "CR LF and a body": "a\r\n\r\n<p>evil</p>\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n",
    "LF": "a\nBcc: eve@evil.example",
    "CR": "a\rBcc: eve@evil.example",
    "a fold": "a\r\n Bcc: eve@evil.example",
    "an end": "a\r\n",
    "a beginning": "\r\nBcc: eve@evil.example",
    "NUL": "a\0b",
    "half a character": "a\ud83d",
    "the other half": "\udc00b",
    "a byte that was not UTF-8": "a\udcff",
    "line separators": "a\u2028Bcc: b\u2029c\x85d\x0be\x0cf",
    "10,000 characters": "x" * 10_000,
    "10,000 words": "x " * 5_000,
    "500 wide characters": "\U0001f3e5" * 500,
    "one word of 500": "x" * 500,
    "IDN": "bücher.example",
    "IDN of dots": "a。b．c｡example",
    "EAI": "josé@bücher.example",
    "an encoded word": "=?utf-8?q?a=0D=0ABcc:_eve=40evil.example?=",
    "half an encoded word": "=?utf-8?q?",
    "brackets": "ana@example.org>\r\nRCPT TO:<eve@evil.example",
    "more brackets": "ana@example.org>,<eve@evil.example",
    "another mailbox": "ana@example.org, eve@evil.example",
    "a comment": "ana(eve)@example.org",
    "a quoted local part": '"ana eve"@example.org',
    "a quote": 'a" <eve@evil.example>, "b',
    "a backslash": "a\\",
    "a route": "@evil.example:ana@example.org",
    "a literal": "ana@[127.0.0.1]",
    "an argument": "ana@example.org SIZE=1",
    "a percent": "ana%evil.example@example.org",
    "turned around": "a\u202eelpmaxe.live@eve",
    "a tab": "a\tb",
    "blanks": "   ",
    "nothing": "",
    "the boundary": "--=_b0undary1234--\r\n--=_b0undary1234\r\nContent-Type: text/html\r\n\r\nevil",
}  # fmt: skip


def names_of(data: bytes) -> list[str]:
    return list(email.message_from_bytes(data).keys())


def exactly(data: bytes, letter: Letter) -> Message:
    """Check that a message has the header fields of `letter` once each, two parts, and only whole short lines."""
    expected = [name for name in NAMES if letter.language or name != "Content-Language"]
    assert names_of(data) == expected
    assert data.count(b"\n") == data.count(b"\r") == data.count(b"\r\n")
    assert b"\0" not in data
    assert max(map(len, data.split(b"\r\n"))) <= LONGEST_LINE
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert len(list(message.iter_parts())) == 2
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    for each in ("From", "To", "Reply-To"):
        assert len(message[each].addresses) == 1
    assert message["Subject"] == letter.subject
    return message


@pytest.mark.parametrize("place", FIELDS)
def test_no_field_of_a_letter_can_become_another(place: str) -> None:
    became = {}
    for what, evil in EVIL.items():
        letter = FIELDS[place](evil)
        try:
            data = build(letter)
        except BadInput as refusal:
            became[what] = (
                "refused" if refusal.place and (len(evil) < 2 or evil not in str(refusal)) else "told"
            )
        else:
            exactly(data, letter)
            became[what] = "written"
    # None of these is ever written into a header; a body may hold all but NUL and halves of characters.
    never = {"NUL", "half a character", "the other half", "a byte that was not UTF-8"}
    if place not in {"text", "HTML"}:
        never |= {"CR LF", "CR LF and a body", "LF", "CR", "a fold", "an end", "a beginning", "brackets", "line separators", "10,000 characters", "10,000 words"}  # fmt: skip
    assert {became[each] for each in never} == {"refused"}


ANY = st.one_of(
    st.sampled_from(sorted(EVIL.values())),
    st.text(max_size=60),
    st.lists(st.sampled_from(["a", "\r", "\n", "\r\n", " ", ":", "<", ">", '"', "\\", "@", "=?", "?=", "é", "\0", "\ud800", ",", "\u2028"]), max_size=20).map("".join),
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(sorted(FIELDS)), ANY), min_size=1, max_size=4))
@examples(max_examples=300, deadline=None)
def test_whatever_is_put_into_some_fields_the_message_has_the_same_fields(put: list[tuple[str, str]]) -> None:
    letter = LETTER
    for place, evil in put:
        made = FIELDS[place](evil)
        changed = {
            name: getattr(made, name)
            for name in Letter.__slots__
            if getattr(made, name) != getattr(LETTER, name)
        }
        letter = replace(letter, **changed)
    try:
        data = build(letter)
    except BadInput:
        return
    exactly(data, letter)
    halves = sealed.split(data)
    outside = [name for name in names_of(data) if not name.lower().startswith(("content-", "mime-"))]
    for whole in (
        sealed.enveloped_message(halves.outer, b"cms"),
        sealed.pgp_message(halves.outer, b"armor\n", "b0undary1234"),
    ):
        found = email.message_from_bytes(whole)
        assert [name for name in found if not name.lower().startswith(("content-", "mime-"))] == outside
        assert found["Subject"] == "[...]"
    inner = names_of(halves.payload)
    assert [name for name in inner if name != "HP-Outer"] == [
        *outside,
        *(n for n in names_of(data) if n not in outside),
    ]
    assert inner.count("HP-Outer") == len(outside)


# ---- what programs submit


@pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL.keys())
def test_a_submitted_subject_is_refused_or_stays_a_subject(evil: str) -> None:
    octets = evil.encode("utf-8", "surrogatepass")
    word = f"=?utf-8?b?{base64.b64encode(octets).decode()}?=".encode()
    for written in (word, octets):
        raw = b"From: a@clinic.example\r\nSubject: " + written + b"\r\n\r\nHello.\r\n"
        with contextlib.suppress(Refused, BadInput):
            letter = replace(LETTER, subject=reading.read(raw).subject)
            exactly(build(letter), letter)


# ---- reports to others' addresses


@pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL.keys())
def test_a_report_goes_to_one_address_and_names_one_domain(evil: str) -> None:
    at = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    for mailbox, domain in ((evil, "b.example"), (f"{evil}@b.example", "b.example"), ("tls@b.example", evil)):
        try:
            data = report_letter("tls-reports@clinic.example", mailbox, TlsReport("a1b2", domain, at, ()), "clinic.example", b"x", at)  # fmt: skip
        except BadInput:
            continue
        assert names_of(data) == [
            "Date", "Message-ID", "From", "To", "Subject", "TLS-Report-Domain", "TLS-Report-Submitter",
            "Auto-Submitted", "MIME-Version", "Content-Type",
        ]  # fmt: skip
        assert data.isascii()
        assert data.count(b"\n") == data.count(b"\r") == data.count(b"\r\n")


# ---- the envelope


ENVELOPES: dict[str, Callable[[str], HandOver]] = {
    "recipient": lambda evil: hand_over(evil),
    "the recipient's local part": lambda evil: hand_over(f"{evil}@example.test"),
    "the recipient's domain": lambda evil: hand_over(f"ana@{evil}"),
    "return path": lambda evil: replace_path(evil),
    "the return path's local part": lambda evil: replace_path(f"{evil}@clinic.example"),
    "message": lambda evil: hand_over(data=b"Subject: x\r\n\r\n" + evil.encode("utf-8", "replace") + b"\r\n"),
}


def replace_path(path: str) -> HandOver:
    item = hand_over()
    return HandOver(
        item.message_id,
        path,
        item.recipient,
        item.data,
        item.floor,
        checked_at=item.checked_at,
        lease_until=item.lease_until,
    )


COMMAND = re.compile(
    r"(?:RSET|MAIL FROM:<[^<>\s\x00-\x1f]*>(?: SIZE=\d+)?(?: BODY=8BITMIME)?(?: SMTPUTF8)?|RCPT TO:<[^<>\s\x00-\x1f]+@[a-z0-9.-]+>|DATA)"
)


@dataclass
class Transcript:
    """What a peer heard: commands (one list a message) and messages, dots undone."""

    commands: list[list[str]] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)

    async def take(self, wire: Wire) -> None:
        await wire.ready(offers=b"8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 1000000")
        said: list[str] = []
        while line := await wire.line():
            assert line.endswith(b"\r\n")
            said.append(line[:-2].decode())
            if line == b"QUIT\r\n":
                return
            await wire.say(b"354 Go\r\n" if line == b"DATA\r\n" else b"250 Ok\r\n")
            if line == b"DATA\r\n":
                data = b"\r\n" + await wire.until(b"\r\n.\r\n")
                self.messages.append(data[2:-3].replace(b"\r\n.", b"\r\n").removeprefix(b"."))
                self.commands.append(said)
                said = []
                await wire.say(b"250 Ok\r\n")


def sent(items: list[HandOver]) -> Transcript:
    """Send all of them over one connection and return what was heard."""
    transcript = Transcript()

    async def go() -> None:
        async with peer(transcript.take) as host:
            session = await open_session(
                HOST, "127.0.0.1", host.port, policy=NAMED, settings=settings(), at=datetime.now(UTC)
            )
            for item in items:
                assert (await session.deliver(item, always)).fate is Fate.ACCEPTED
            await session.quit()

    uvloop.run(go())
    return transcript


def check(items: list[HandOver]) -> None:
    transcript = sent(items)
    assert transcript.messages == [item.data.reveal() for item in items]
    for item, said in zip(items, transcript.commands, strict=True):
        assert [line.split(":")[0] for line in said] == ["MAIL FROM", "RCPT TO", "DATA"]
        assert all(COMMAND.fullmatch(line) for line in said), said
        assert said[0].startswith(f"MAIL FROM:<{item.envelope_from}> SIZE=")
        assert said[1].startswith(f"RCPT TO:<{item.recipient.reveal().rpartition('@')[0]}@")


@pytest.mark.parametrize("place", ENVELOPES)
def test_no_word_of_an_envelope_or_a_message_becomes_a_command(place: str) -> None:
    items = []
    for evil in EVIL.values():
        with contextlib.suppress(BadInput):
            items.append(ENVELOPES[place](evil))
    check([*items, hand_over()])


@given(st.lists(st.tuples(st.sampled_from(sorted(ENVELOPES)), ANY), max_size=8))
@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_handed_over_the_peer_hears_the_same_commands(put: list[tuple[str, str]]) -> None:
    items = [hand_over()]
    for place, evil in put:
        with contextlib.suppress(BadInput):
            items.append(ENVELOPES[place](evil))
    check(items)


@pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL.keys())
def test_what_we_call_ourselves_is_a_host_name(evil: str) -> None:
    with contextlib.suppress(BadInput):
        assert re.fullmatch(r"[a-z0-9.-]{0,253}", replace(settings(), hello=evil).hello)


@pytest.mark.parametrize("evil", ["a\0b", "a\r\nb", "\ud800", "\u2028"])
def test_a_login_has_no_sign_that_would_begin_another_field(evil: str) -> None:
    for user, password in ((evil, "secret"), ("clinic", evil)):
        with pytest.raises(BadInput) as refusal:
            Login(user, password)
        assert refusal.value.place == "login"
