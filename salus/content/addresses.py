"""Judges the addresses in a template: which links and pictures a message may point to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from urllib.parse import unquote

from salus.content.expressions import Fault
from salus.content.words import telling

PLANE = 0xF0000
"""Signs of template tags lie in this private plane."""

_HTTPS = re.compile(r"https://([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(:\d{1,5})?([/?#][!-~]*)?")
_MAILTO = re.compile(r"mailto:[A-Za-z0-9._%+-]+@([A-Za-z0-9.-]+)(?:\?subject=[A-Za-z0-9%._+-]*)?")
_TEL = re.compile(r"tel:\+?[0-9(). -]{3,24}")
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*)\s*:")
_WRITTEN = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]*://|www\.)\S+")
_ALONE = re.compile("[(\\[<«“\"']*[\U000f0000-\U000ffffd][)\\]>»”\"'.,;:!?]*")
_DOMAIN_PATH = re.compile(r"(?i)\b[a-z0-9-]+\.[a-z]{2,}[/?#]")


def own(host: str, domains: Iterable[str]) -> bool:
    """Return whether `host` is one of `domains` or lies below one."""
    host = host.lower().rstrip(".")
    return any(host == domain or host.endswith("." + domain) for domain in domains)


def check_link(url: str, domains: Iterable[str]) -> None:
    """Raise `Fault` unless a reader may be sent to the constant address `url`."""
    if match := _MAILTO.fullmatch(url):
        _check_host(match[1], domains)
        _check_words(url)
        return
    if _TEL.fullmatch(url):
        return
    _check_https(url, domains)


def check_image(url: str, domains: Iterable[str]) -> None:
    """Raise `Fault` unless a mail program may load a picture from the constant address `url`."""
    _check_https(url, domains)


def is_web(url: str) -> bool:
    """Return whether `url` opens a page (and not a mail or a telephone call)."""
    return url.startswith("https://")


def _check_https(url: str, domains: Iterable[str]) -> None:
    match = _HTTPS.fullmatch(url)
    if match is None:
        scheme = _SCHEME.match(url)
        if scheme and scheme[1].lower() not in {"https", "mailto", "tel"}:
            raise Fault(
                f"An address that begins with {scheme[1].lower()}: is not allowed.",
                "Use https, mailto or tel.",
            )
        raise Fault("This is not a whole address.", "Write it as https://host/path, without spaces.")
    if "\\" in url:
        raise Fault("This address hides where it leads.", "Write it as https://host/path.")
    _check_host(match[1], domains)
    _check_words(match[3] or "")


def _check_host(host: str, domains: Iterable[str]) -> None:
    domains = tuple(domains)
    if own(host, domains):
        return
    known = ", ".join(domains) or "none yet"
    raise Fault(
        f"{host.lower()} is not one of your own domains.",
        f"Whoever runs it would learn who reads this. Your domains: {known}.",
    )


def _check_words(path: str) -> None:
    for word in telling(re.sub(r"\W|_", " ", unquote(path))):
        raise Fault(
            f"The address says {word.shown!r}, which tells a condition.",
            "Addresses are kept in logs and histories: name the page neutrally.",
        )


def check_written(line: str, domains: Iterable[str], links: Collection[str] = ()) -> None:
    """Raise `Fault` if a line of shown text holds an address that is not allowed, or that takes a value.

    Signs of template tags stand in `line` as themselves, `links` are those that print a link. Mail programs
    make links of written addresses, so a field beside one would travel in it.
    """
    for word in line.split():
        signs = [char for char in word if ord(char) >= PLANE]
        match = _WRITTEN.search(word)
        linked = any(char in links for char in signs)
        if signs and (match or _DOMAIN_PATH.search(word) or (linked and len(signs) > 1)):
            raise Fault("A field stands inside an address.", "Put a space between them, or leave it out.")
        if linked and not _ALONE.fullmatch(word):
            raise Fault("Something is written onto a link.", "Put a space on both sides of the link's tag.")
        if match:
            url = match[0].rstrip(".,;:!?)]}'\"»”’")
            check_link("https://" + url if url.lower().startswith("www.") else url, domains)
