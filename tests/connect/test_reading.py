"""What a submitted message may hold: its words are written anew, and what could act, load or hide is refused."""

from __future__ import annotations

import html
from email.message import EmailMessage

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from salus.connect import markup, reading, rules
from salus.connect.contracts import Fault, Refused
from salus.kernel.vocabulary import Channel, PhiClass, Promotes, Remuneration, Special

MIXED = b"Content-Type: multipart/mixed; boundary=b"
SAID = {"purpose": "newsletter", "topic": "news"}


def raw(body: bytes, *headers: bytes) -> bytes:
    """Return a message with these headers besides the usual."""
    usual = (b"From: a@clinic.example.org", b"Subject: News", *headers)
    return b"\r\n".join((*usual, b"", body))


def fault_of(message: bytes) -> Fault:
    """Return why a message is refused."""
    with pytest.raises(Refused) as refused:
        reading.read(message)
    return refused.value.fault


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("<script>x</script>", Fault.ACTIVE),
        ("<p onclick=x>a", Fault.ACTIVE),
        ("<form>a</form>", Fault.ACTIVE),
        ("<meta http-equiv=refresh content='0;url=https://x.example'>", Fault.ACTIVE),
        ("<!--[if mso]><b>x</b><![endif]-->a", Fault.ACTIVE),
        ("<p style='display:none'>a", Fault.ACTIVE),
        ("<img src='https://clinic.example.org/a.png'>", Fault.REMOTE),
        ("<table background='https://x.example/a.png'>", Fault.REMOTE),
        ("<p style='background:u\\72l(https://x.example)'>a", Fault.REMOTE),
        ("<link rel=stylesheet href='https://x.example'>", Fault.REMOTE),
        ("<a href='https://clinic.example.org@x.example/'>a</a>", Fault.LINK),
        ("<b href='https://clinic.example.org/'>a</b>", Fault.LINK),
        ("<a href='javascript:x'>a</a>", Fault.LINK),
        ("<a href='http://clinic.example.org/'>a</a>", Fault.LINK),
        ("<b>" * 100, Fault.TOO_COMPLEX),
    ],
)
def test_html_that_acts_loads_or_leads_away_is_refused(source: str, fault: Fault) -> None:
    with pytest.raises(Refused) as refused:
        markup.written(source)
    assert refused.value.fault is fault


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("1 < 2 > 1 <", "1 &lt; 2 &gt; 1 &lt;"),
        ("<&#115;cript>x", "&lt;script&gt;x"),
        ("&lt;script&gt;<p>&amp;lt;", "&lt;script&gt;<p>&amp;lt;</p>"),
        ("<style>a{}<p>x</STYLE ><b>y", "<b>y</b>"),
        ("<style>a{}", ""),
        ("<td colspan=2/>x<p lang=en/>y<br/>", '<td colspan="2/">x<p lang="en/">y<br></p></td>'),
        (
            "<td colspan=2 />x<P LANG='a' lang=\"b\"\ndir=rtl>",
            '<td colspan="2"></td>x<p lang="a" lang="b" dir="rtl"></p>',
        ),
        ("<p title='&quot; onclick=&quot;'>x</p >", '<p title="&quot; onclick=&quot;">x</p>'),
        ("<b><i>x</b>y", "<b><i>x</i></b>y"),
    ],
)
def test_words_and_tags_are_written_as_they_are_meant(source: str, written: str) -> None:
    assert markup.written(source)[0] == written


@pytest.mark.parametrize(
    ("link", "host", "may"),
    [
        ("https://clinic.example.org/", "clinic.example.org", True),
        ("https://WWW.clinic.example.org:443/a", "www.clinic.example.org", True),
        ("mailto:desk@clinic.example.org", "clinic.example.org", True),
        ("https://x.example/", "x.example", False),
        ("https://badclinic.example.org/", "badclinic.example.org", False),
        ("mailto:a@x.example", "x.example", False),
    ],
)
def test_a_link_is_known_by_its_host_and_leads_to_our_domains_only(link: str, host: str, may: bool) -> None:
    hosts = markup.written(f"<a href='{link}'>a</a> <a href='tel:+15550100'>call</a>")[2]
    assert hosts == {host}
    assert rules.may_lead(hosts, ("other.example", "clinic.example.org")) is may
    assert not rules.may_lead({"x.example", *hosts}, ("clinic.example.org",))


def test_links_and_looks_stay_and_the_text_is_made_of_the_page() -> None:
    page = (
        "<html><head><title>x</title><style>p{}</style></head><body><p style='color:#333' class=c>Hi &amp; "
        "<a href='https://www.clinic.example.org/a?b=1&amp;c=2'>see</a></p><ul><li>one</body></html>"
    )
    written, text, hosts = markup.written(page)
    assert written == (
        '<p style="color:#333">Hi &amp; <a href="https://www.clinic.example.org/a?b=1&amp;c=2">see</a></p>'
        "<ul><li>one</li></ul>"
    )
    assert hosts == {"www.clinic.example.org"}
    assert text.split() == ["Hi", "&", "https://www.clinic.example.org/a?b=1&c=2", "see", "one"]


@given(st.text(alphabet="<>/&;\"'=!-[]ab imgsrcjavscriptonload:", max_size=200))
def test_whatever_is_written_anew_is_written_the_same_again(source: str) -> None:
    try:
        once = markup.written(source)[0]
    except Refused:
        return
    assert markup.written(once)[0] == once
    assert "<script" not in once
    assert "<img" not in once


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80)
)
def test_words_come_through_as_they_were(words: str) -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@clinic.example.org", "News"
    message.set_content(f"x{words}x\n", cte="base64")
    assume(not reading.SIGNS.search(words))
    found = reading.read(message.as_bytes(policy=message.policy.clone(linesep="\r\n")))
    assert found.text == f"x{words}x\n"
    assert markup.written(html.escape(words))[1] is not None


@given(st.binary(max_size=400))
def test_noise_is_refused_or_read_and_never_breaks(noise: bytes) -> None:
    for message in (
        noise,
        raw(noise),
        raw(noise, b"Content-Type: multipart/mixed; boundary=x"),
        raw(b"x", noise),
    ):
        try:
            reading.read(message)
        except Refused:
            continue


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (raw(b"x", b"Subject: Again"), Fault.BAD_HEADER),
        (raw(b"x", b"X-Salus-Topic: a", b"X-Salus-Topic: b"), Fault.BAD_HEADER),
        (raw(b"x", *[b"A: b"] * 300), Fault.TOO_COMPLEX),
        (raw(b"x", b"A: " + b"b" * 40_000), Fault.TOO_COMPLEX),
        (raw(b"--b\r\n" * 30, MIXED), Fault.TOO_COMPLEX),
        (raw(b"--b\r\n" + MIXED + b"\r\n\r\n", MIXED), Fault.ATTACHMENT),
        (
            raw(b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n" * 15, MIXED),
            Fault.TOO_COMPLEX,
        ),
        (raw(b"--b\r\n" + b"A: b\r\n" * 300 + b"\r\nx\r\n--b--", MIXED), Fault.TOO_COMPLEX),
        (raw(b"x", b"Content-Type: multipart/mixed"), Fault.ATTACHMENT),
        (raw(b"--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--", MIXED), Fault.ATTACHMENT),
        (raw(b"--b\r\n\r\nx\r\n--b--", b"Content-Type: multipart/digest; boundary=b"), Fault.ATTACHMENT),
        (raw(b""), Fault.NO_TEXT),
        (raw(b"x\x01"), Fault.NO_TEXT),
        (raw(b"\xff", b"Content-Type: text/plain; charset=utf-8"), Fault.NO_TEXT),
        (raw(b"x", b"Content-Type: text/plain; charset=klingon"), Fault.NO_TEXT),
        (raw(b"%PDF", b"Content-Type: application/pdf"), Fault.ATTACHMENT),
        (raw(b"x", b"Content-Disposition: attachment; filename=a.txt"), Fault.ATTACHMENT),
        (raw(b"x").replace(b"Subject: News", b"Subject: " + b"n" * 500), Fault.NO_SUBJECT),
        (raw(b"x").replace(b"Subject: News\r\n", b""), Fault.NO_SUBJECT),
        (raw(b"x").replace(b"From: a@", b"From: b@x.example, a@"), Fault.SENDER),
    ],
)
def test_what_a_message_may_not_be(message: bytes, fault: Fault) -> None:
    assert fault_of(message) is fault


def test_a_multipart_within_another_is_read_with_boundaries_that_begin_alike() -> None:
    inner = b"--b1\r\n\r\n--bc\r\nwords\r\n--b1\r\nContent-Type: text/html\r\n\r\n<p>words</p>\r\n--b1--\r\n"
    message = raw(
        b"for old readers\r\n--b \t\r\nContent-Type: multipart/alternative; boundary=b1\r\n\r\n"
        + inner
        + b"--b--\r\n--b\r\nafterwards",
        MIXED,
    )
    found = reading.read(message)
    assert (found.text, found.html) == ("--bc\nwords", "<p>words</p>")


def test_what_is_not_said_counts_at_its_strictest() -> None:
    found = rules.declared(SAID)
    assert (found.promotes, found.remuneration) == (Promotes.THIRD_PARTY, Remuneration.ABOVE_COST)
    assert found.channel is Channel.EMAIL
    assert set(PhiClass) <= set(found.discloses)
    assert set(Special) - set(found.discloses) == {Special.PSYCHOTHERAPY_NOTES}


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"purpose": "newsletter"}, Fault.NO_TOPIC),
        ({**SAID, "topic": "Two Words"}, Fault.NO_TOPIC),
        ({"topic": "news"}, Fault.NO_PURPOSE),
        ({**SAID, "purposes": "x"}, Fault.UNKNOWN_HEADER),
        ({**SAID, "discloses": "contact, all"}, Fault.BAD_WORD),
        ({**SAID, "conditions": "E11; drop"}, Fault.BAD_WORD),
        ({**SAID, "channel": "sms"}, Fault.BAD_WORD),
        ({**SAID, "promotes": "us"}, Fault.BAD_WORD),
    ],
)
def test_what_cannot_be_understood_is_refused(said: dict[str, str], fault: Fault) -> None:
    with pytest.raises(Refused) as refused:
        rules.declared(said)
    assert refused.value.fault is fault
