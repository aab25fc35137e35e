"""Whatever a program submits: a letter or the one refusal, in bounded time and memory; what once broke is kept here."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salus.connect import markup, reading
from salus.connect.contracts import Fault, Refused
from salus.connect.reading import LONGEST, SIGNS, Letter

HEAD = b"From: a@clinic.example.org\r\nSubject: News\r\n"
PIECES = st.sampled_from(
    [
        HEAD,
        b"From: =?utf-8?q?a=0D=0ABcc:_b@c.example?= <a@clinic.example.org>\r\n",
        b"From: a@clinic.example.org, b@clinic.example.org\r\n",
        b"From: \xff <a@b>\r\n",
        b"Subject: =?utf-8?q?a=0D=0ABcc:_b@c.example?=\r\n",
        b"Subject: =?utf-8?b?/////w==?=\r\n",
        b"Subject: =?klingon?q?x?=\r\n",
        b"Subject: =?utf-8?b?a?= =?utf-16?q?=00=d8?=\r\n",
        b"Subject: a\r\n b\r\n\tc\r\n",
        b"Message-ID: <a@b>\r\n",
        b"Message-ID: \xe9\r\n",
        b"X-Salus-Topic: news\r\n",
        b"X-Salus-: \r\n",
        b"X-Salus-Topic : news\r\n",
        b"MIME-Version: 1.0\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b'Content-Type: multipart/alternative; boundary*=utf-8\'\'b\r\n',
        b"Content-Type: message/rfc822\r\n",
        b"Content-Type: message/partial\r\n",
        b"Content-Type: message/delivery-status\r\n",
        b"Content-Type: text/html; charset=utf-7\r\n",
        b"Content-Type: text/plain; charset=\"utf-8\r\n",
        b"Content-Type: text/plain; charset*=x'y'%ff%00\r\n",
        b"Content-Type: text/plain; charset*0*=x''u; charset*9=f\r\n",
        b"Content-Type: text/plain; charset=idna\r\n",
        b"Content-Type: text/plain; charset=rot13\r\n",
        b"Content-Type: text/plain; charset=unicode_escape\r\n",
        b"Content-Type: text/plain; charset=undefined\r\n",
        b"Content-Type: text/plain; charset=a\x00b\r\n",
        b"Content-Disposition: inline; filename*=utf-8''%00\r\n",
        b"Content-Disposition: \xff\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Content-Transfer-Encoding: x-uuencode\r\n",
        b"begin 644 x\r\n#86)C\r\n`\r\nend\r\n",
        b"--b\r\n",
        b"--b--\r\n",
        b"\r\n",
        b"=\r\n",
        b"====",
        b"\x00\xff\xfe",
        b"<p>a</p>",
        b"<!--",
        b"&#xd800;&#0;&#x110000;",
        b"<a href='https://clinic.example.org/'>x",
    ]
)  # fmt: skip
MAIL = st.lists(st.one_of(PIECES, st.binary(max_size=30)), max_size=25).map(
    lambda each: HEAD + b"".join(each)
)
BODIES = st.lists(st.one_of(PIECES, st.binary(max_size=30)), max_size=25).map(b"".join)


def letter_or_refusal(raw: bytes) -> Letter | None:
    try:
        return reading.read(raw)
    except Refused:
        return None


@given(st.one_of(MAIL, BODIES))
@settings(max_examples=400, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
def test_any_octets_are_a_letter_without_signs_or_refused(raw: bytes) -> None:
    letter = letter_or_refusal(raw)
    if letter:
        assert 0 < len(letter.subject) <= LONGEST
        for text in (letter.subject, letter.sender, letter.id, *letter.said.values()):
            assert "\n" not in text
            assert "\r" not in text
        for text in (letter.subject, letter.text, letter.html):
            assert not SIGNS.search(text)
            text.encode()


@given(st.text(max_size=120), st.text(max_size=120))
@settings(max_examples=150, deadline=None)
def test_any_page_is_written_anew_or_refused(first: str, second: str) -> None:
    for page in (first, f"<p {first}>{second}", f"<a href='{first}'>{second}</a>", f"<![{first}[{second}]]>", f"<p style='{first}'>{second}"):  # fmt: skip
        try:
            markup.written(page)
        except Refused:
            continue


MANY = 1024 * 1024
LARGE = {
    "header without end": HEAD + b"A: " + b"b" * MANY,
    "folds": HEAD + b"X:" + b"\r\n " * (MANY // 3),
    "boundaries": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * (MANY // 5),
    "nested": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\nContent-Type: message/rfc822\r\n\r\n" * (MANY // 40),
    "base64": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUFB" * (MANY // 4),
    "soft line ends": HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\r\n" * (MANY // 3),
    "encoded words": HEAD.replace(b"News", b"=?utf-8?q?a?= " * 2000) + b"\r\nx",
    "brackets": b"From: " + b"(" * 30_000 + b"\r\nSubject: a\r\n\r\nx",
    "quotes": b"From: " + b'"\\' * 15_000 + b"@b\r\nSubject: a\r\n\r\nx",
    "groups": b"From: " + b"a:" * 15_000 + b"\r\nSubject: a\r\n\r\nx",
    "commas": b"From: " + b"," * 30_000 + b"\r\nSubject: a\r\n\r\nx",
    "parameters": HEAD + b"Content-Type: text/plain" + b"; a*0*=x" * 3000 + b"\r\n\r\nx",
    "numbered parameters": HEAD + b"Content-Type: text/plain" + b"".join(b"; n*%d=x" % n for n in range(2500)) + b"\r\n\r\nx",
    "tags": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<p>" * (MANY // 3),
    "open tags": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<" * MANY,
    "comments": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<!--" * (MANY // 4),
    "declarations": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<![" * (MANY // 3),
    "attributes": HEAD + b"Content-Type: text/html\r\n\r\n<p " + b"a=b " * (MANY // 4) + b">x",
    "entities": HEAD + b"Content-Type: text/html\r\n\r\n" + b"&amp" * (MANY // 4),
    "styles": HEAD + b"Content-Type: text/html\r\n\r\n<p style='" + b"a:b;" * (MANY // 4) + b"'>x",
    "spaces": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<b> </b> " * 9000,
    "unclosed": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<a " * (MANY // 3),
    "texts": HEAD + b"Content-Type: text/html\r\n\r\n" + b"a<br>" * (MANY // 5),
}  # fmt: skip


PARTS = {"boundaries", "nested"}
"""They took seconds: lines of boundaries are counted before anything is parsed."""


@pytest.mark.parametrize(("name", "raw"), LARGE.items(), ids=LARGE.keys())
def test_what_is_large_takes_neither_long_nor_much_memory(name: str, raw: bytes) -> None:
    begun = time.process_time()
    letter_or_refusal(raw)
    assert time.process_time() - begun < (0.3 if name in PARTS else 5.0)
    tracemalloc.start()
    try:
        letter_or_refusal(raw[: MANY // 4])
        assert tracemalloc.get_traced_memory()[1] < 24 * MANY
    finally:
        tracemalloc.stop()


PAGES_THAT_BROKE = {
    "comments that never end took minutes": ("<!--" * 10_000, Fault.ACTIVE),
    "a tag that never ends was looked at to the end for each of its like": ("<a " * 10_000, Fault.ACTIVE),
    "a quote that never ends": ("<a title='" + "<a " * 10_000, Fault.ACTIVE),
    "a section without a name raised": ("<![", Fault.ACTIVE),
    "a section with half a name raised": ("a<![x[y]]>", Fault.ACTIVE),
    "a declaration": ("<!ENTITY a 'b'>c", Fault.ACTIVE),
    "an instruction": ("<?php x ?>c", Fault.ACTIVE),
    "brackets": ("<" * 30_000, Fault.TOO_COMPLEX),
    "attributes without end took much memory": (f"<p {'a=b ' * 5_000}>c", Fault.TOO_COMPLEX),
}


@pytest.mark.parametrize(("page", "fault"), PAGES_THAT_BROKE.values(), ids=PAGES_THAT_BROKE.keys())
def test_a_page_that_once_broke_the_reader_is_refused_at_once(page: str, fault: Fault) -> None:
    begun = time.process_time()
    with pytest.raises(Refused) as refused:
        markup.written(page)
    assert refused.value.fault is fault
    assert time.process_time() - begun < 0.2


def test_comments_and_a_doctype_stand_in_nobodys_way() -> None:
    page = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "x"><html><!-- a --><style><!-- p{} --></style><p>1 < 2<!----></p></html>'
    assert markup.written(page)[:2] == ("<p>1 &lt; 2</p>", "1 < 2")
