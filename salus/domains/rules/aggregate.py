"""Reads DMARC aggregate reports (RFC 9990, and RFC 7489 before it): who sent in the domain's name, and whether it passed."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from lxml import etree

from salus.domains.contracts import BadReport, DmarcReport, Source
from salus.domains.rules.safely import called, day_of, host, number, word

MOST_RECORDS: Final = 2_000
DISPOSITIONS: Final = ("none", "quarantine", "reject")


def read(body: bytes) -> DmarcReport:
    """Return a report. Raises `BadReport`; of what it says only what has its form is taken, and no free text."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise BadReport("It declares entities: no report does.")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise BadReport("It is not XML.") from None
    if _name(root) != "feedback":
        raise BadReport("It is no report of DMARC.")
    rows: dict[tuple[str, bool, bool, str], int] = {}
    for count, record in enumerate(each for each in root if _name(each) == "record"):
        if count >= MOST_RECORDS:
            raise BadReport("It has more records than one report may.")
        address, dkim, spf, disposition, messages = _record(record)
        key = (address, dkim, spf, disposition)
        rows[key] = rows.get(key, 0) + messages
    begin = day_of(number(_text(root, "report_metadata", "date_range", "begin")))
    return DmarcReport(
        reporter=called(_text(root, "report_metadata", "org_name")),
        id=word(_text(root, "report_metadata", "report_id")),
        domain=host(_text(root, "policy_published", "domain").lower()),
        begin=begin,
        sources=tuple(Source(*key, count) for key, count in rows.items()),
    )


def _record(record: Any) -> tuple[str, bool, bool, str, int]:
    try:
        address = str(ipaddress.ip_address(_text(record, "row", "source_ip")))
    except ValueError:
        raise BadReport("A source is no address.") from None
    disposition = _text(record, "row", "policy_evaluated", "disposition").lower()
    if disposition == "pass":  # RFC 9990 calls so what RFC 7489 called none
        disposition = "none"
    if disposition not in DISPOSITIONS:
        raise BadReport("A disposition is none of those that there are.")
    return (
        address,
        _text(record, "row", "policy_evaluated", "dkim").lower() == "pass",
        _text(record, "row", "policy_evaluated", "spf").lower() == "pass",
        disposition,
        number(_text(record, "row", "count")),
    )


def _text(element: Any, *path: str) -> str:
    """Return the text at a path, whatever the namespace; "" when it is not there."""
    for name in path:
        element = next((each for each in element if _name(each) == name), None)
        if element is None:
            return ""
    return (element.text or "").strip()


def _name(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
