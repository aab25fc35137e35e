"""The inbox as pages: what was caught, one mail with how it travelled, and how the hosts behave."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib import resources

from salus.wiring.catch.behaviors import BEHAVIORS, Behavior
from salus.wiring.catch.http import Answer, not_found
from salus.wiring.catch.mailbox import Mail, Mailbox
from salus.wiring.catch.reading import headline, read

SHOWN = 100
_LINK = re.compile(r"https?://[^\s<>\"]+")
_PICTURES = "https: http://localhost:* http://127.0.0.1:*"
_HTML_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data: {pictures}; form-action 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True, slots=True)
class Pages:
    """Answers requests for the inbox."""

    mailbox: Mailbox

    def answer(self, path: str, query: Mapping[str, str]) -> Answer:
        """Return the answer for a path."""
        if path == "/":
            return self._list(query)
        if path == "/hosts":
            return _hosts(self.mailbox)
        if path in ("/salus.css", "/catch.css"):
            return _style(path)
        if path == "/favicon.ico":
            return Answer(b"", "image/x-icon")
        if path == "/mails.json":
            return self._mails(query)
        if path == "/stats.json":
            return _json(self._stats())
        found = re.fullmatch(r"/mail/(\d{1,12})(/html|/raw)?", path)
        mail = self.mailbox.get(int(found[1])) if found else None
        if not found or not mail:
            return not_found()
        if found[2] == "/html":
            return _html(mail, with_pictures=query.get("pictures") == "1")
        if found[2] == "/raw":
            return Answer(mail.data, "text/plain; charset=utf-8")
        return _one(mail, with_pictures=query.get("pictures") == "1")

    def _stats(self) -> dict[str, object]:
        return {
            "received": self.mailbox.received,
            "octets": self.mailbox.received_octets,
            "by_host": dict(self.mailbox.by_behavior),
        }

    def _mails(self, query: Mapping[str, str]) -> Answer:
        """List the newest mails, or with `before` those older than a mail's number: a page at a time."""
        before = query.get("before", "")
        limit = int(before) if before.isdecimal() and len(before) < 13 else math.inf
        mails = self.mailbox.newest(query.get("host", ""), query.get("to", ""))
        older = (mail for mail in mails if mail.number < limit)
        return _json([_summary(mail) for _, mail in zip(range(SHOWN), older, strict=False)])

    def _list(self, query: Mapping[str, str]) -> Answer:
        host = query.get("host", "")
        mails = [mail for _, mail in zip(range(SHOWN), self.mailbox.newest(host), strict=False)]
        counts = self.mailbox.by_behavior
        chips = [_chip("All", "/", "", host)]
        chips += [
            _chip(f"{each.domain} ({counts[each.name]})", f"/?host={each.name}", each.name, host)
            for each in BEHAVIORS
            if counts[each.name]
        ]
        lead = f"{self.mailbox.received:,} caught since the start. They are kept in memory only."
        if not mails:
            body = _empty(sink=not self.mailbox.keeps)
        else:
            rows = "".join(_row(mail) for mail in mails)
            body = (
                '<div class="sheet is-flush"><div class="scroll" tabindex="0" role="region" aria-label="Mails">'
                '<table class="table is-cards"><thead><tr><th scope="col">Subject</th><th scope="col">To</th>'
                '<th scope="col">Host</th><th scope="col">Protected by</th><th scope="col">Received</th></tr>'
                f"</thead><tbody>{rows}</tbody></table></div></div>"
            )
        return _page("Inbox", lead, f'<p class="chips">{"".join(chips)}</p>{body}')


def _summary(mail: Mail) -> dict[str, object]:
    return {
        "number": mail.number,
        "host": mail.behavior,
        "from": mail.sender,
        "to": list(mail.recipients),
        "subject": headline(mail.data)["Subject"],
        "received_at": mail.received_at.isoformat(),
        "tls": mail.tls_version,
        "octets": len(mail.data),
    }


def _row(mail: Mail) -> str:
    head = headline(mail.data)
    subject = escape(head["Subject"]) or "(no subject)"
    return (
        f'<tr><th scope="row"><a href="/mail/{mail.number}">{subject}</a></th>'
        f"<td>{escape(', '.join(mail.recipients))}</td><td>{escape(mail.behavior)}</td>"
        f'<td>{_protection(mail)}</td><td class="num">{mail.received_at:%H:%M:%S}</td></tr>'
    )


def _protection(mail: Mail) -> str:
    if not mail.tls_version:
        return '<span class="tag is-broke">nothing</span>'
    return f'<span class="tag is-clear">{escape(mail.tls_version)}</span>'


def _one(mail: Mail, *, with_pictures: bool) -> Answer:
    opened = read(mail.data)
    facts = [
        ("From", opened.sender),
        ("To", opened.to),
        ("Return path", mail.sender or "(empty)"),
        ("Recipient", ", ".join(mail.recipients)),
        ("Host", mail.behavior),
        ("TLS", f"{mail.tls_version} {mail.cipher}" if mail.tls_version else "none: it came in clear"),
        ("Size", f"{len(mail.data):,} octets"),
        ("Received", f"{mail.received_at:%Y-%m-%d %H:%M:%S} UTC"),
    ]
    frame = ""
    if opened.html:
        source = f"/mail/{mail.number}/html{'?pictures=1' if with_pictures else ''}"
        other = (
            f'<a href="/mail/{mail.number}">Hide pictures</a>'
            if with_pictures
            else f'<a href="/mail/{mail.number}?pictures=1">Show pictures, as a mail program would</a>'
        )
        frame = (
            f'<section class="sheet"><header><h2>As a page</h2><span class="small">{other}</span></header>'
            f'<iframe class="mail" src="{source}" title="The mail as a page" '
            'sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe></section>'
        )
    headers = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in opened.headers)
    body = (
        f'<div class="stack"><section class="sheet"><h2 class="only-read">How it travelled</h2>{_facts(facts)}'
        f"</section>{frame}"
        f'<section class="sheet"><h2>As text</h2><pre class="code gap-top">{_linked(opened.text)}</pre></section>'
        f'<section class="sheet"><header><h2>Headers</h2><a class="small" href="/mail/{mail.number}/raw">'
        f'Source</a></header><dl class="facts">{headers}</dl></section></div>'
    )
    return _page(opened.subject or "(no subject)", "", body, crumb=True)


def _html(mail: Mail, *, with_pictures: bool) -> Answer:
    policy = _HTML_POLICY.format(pictures=_PICTURES if with_pictures else "").replace(" ;", ";")
    html = f'<!doctype html><base target="_blank">{read(mail.data).html}'
    # The base element opens links beside the inbox; the first one counts, so the mail's own does not.
    return Answer(html.encode("utf-8", "replace"), policy=policy)


def _hosts(mailbox: Mailbox) -> Answer:
    rows = "".join(_host_row(each, mailbox.by_behavior[each.name]) for each in BEHAVIORS)
    body = (
        '<div class="sheet is-flush"><div class="scroll" tabindex="0" role="region" aria-label="Hosts">'
        '<table class="table is-cards"><thead><tr><th scope="col">Write to</th>'
        '<th scope="col">What happens</th><th scope="col" class="num">Mails</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></div>"
    )
    return _page(
        "Hosts", "Each domain has a mail host of its own. Any other name below example.test is fine.", body
    )


def _host_row(each: Behavior, caught: int) -> str:
    return (
        f'<tr><th scope="row">anybody@{escape(each.domain)}</th><td>{escape(each.sentence)}</td>'
        f'<td class="num">{caught:,} caught</td></tr>'
    )


def _chip(label: str, link: str, name: str, chosen: str) -> str:
    current = ' aria-current="true"' if name == chosen else ""
    return f'<a class="chip" href="{escape(link)}"{current}>{escape(label)}</a>'


def _empty(*, sink: bool) -> str:
    words = (
        "This relay only counts: no mail is kept."
        if sink
        else "No mail yet. Send a campaign, and what a patient would get appears here."
    )
    return f'<div class="sheet empty"><p>{words}</p></div>'


def _facts(facts: list[tuple[str, str]]) -> str:
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return f'<dl class="facts">{lines}</dl>'


def _linked(text: str) -> str:
    """Return text as HTML with its web addresses as links."""
    pieces, end = [], 0
    for found in _LINK.finditer(text):
        address = escape(found[0])
        pieces.append(escape(text[end : found.start()]))
        pieces.append(f'<a href="{address}" target="_blank" rel="noreferrer noopener">{address}</a>')
        end = found.end()
    return "".join(pieces) + escape(text[end:])


def _page(title: str, lead: str, body: str, *, crumb: bool = False) -> Answer:
    crumbs = '<p class="crumbs"><a href="/">Inbox</a></p>' if crumb else ""
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - Salus mail catcher</title>"
        '<link rel="stylesheet" href="/salus.css"><link rel="stylesheet" href="/catch.css"></head>'
        '<body><nav class="catch" aria-label="Mail catcher"><strong>Mail catcher</strong>'
        '<a href="/">Inbox</a><a href="/hosts">Hosts</a></nav>'
        f'<main>{crumbs}<div class="head"><div><h1>{escape(title)}</h1>'
        + (f'<p class="lead">{escape(lead)}</p>' if lead else "")
        + f"</div></div>{body}</main></body></html>"
    )
    return Answer(html.encode("utf-8", "replace"))


def _style(path: str) -> Answer:
    if path == "/salus.css":
        sheet = resources.files("salus.platform") / "web/static/salus/salus.css"
    else:
        sheet = resources.files("salus.wiring.catch") / "static/catch.css"
    return Answer(sheet.read_bytes(), "text/css; charset=utf-8")


def _json(found: object) -> Answer:
    return Answer(json.dumps(found).encode(), "application/json")
