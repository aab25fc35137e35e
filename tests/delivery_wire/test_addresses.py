"""Addresses: what may stand in a command or a header, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.delivery.addresses import Mailbox, ascii_address, ascii_domain, split
from salus.kernel.errors import BadInput


@pytest.mark.parametrize(
    ("written", "local", "domain"),
    [
        ("ana@example.org", "ana", "example.org"),
        ("Ana.Diaz+care@Example.ORG", "Ana.Diaz+care", "example.org"),
        ("ana@example.org.", "ana", "example.org"),
        ("ana@bücher.example", "ana", "xn--bcher-kva.example"),
        ("josé@example.org", "josé", "example.org"),
        ("a@" + "x" * 63 + ".org", "a", "x" * 63 + ".org"),
    ],
)
def test_an_ordinary_address_is_split_and_its_domain_made_ascii(
    written: str, local: str, domain: str
) -> None:
    assert split(written) == (local, domain)
    assert ascii_address(written) == f"{local}@{domain}"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "ana",
        "@example.org",
        "ana@",
        "ana@@example.org",
        "ana@exa mple.org",
        "ana@[192.0.2.1]",
        "ana@198.41.0.4",
        '"ana diaz"@example.org',
        "ana@example..org",
        "ana@-example.org",
        "ana@under_score.org",
        "a..b@example.org",
        ".a@example.org",
        "ana@example.org\r\nRCPT TO:<eve@example.org>",
        "ana\r\n@example.org",
        "ana>@example.org",
        "ana\x00@example.org",
        "ana\u2028@example.org",
        "ana\ud800@example.org",
        "a" * 65 + "@example.org",
        "a@" + "x" * 64 + ".org",
        "a@" + ".".join(["x" * 60] * 5),
        "a@xn--\u0378.org",
    ],
)
def test_what_could_change_a_command_is_refused(written: str) -> None:
    with pytest.raises(BadInput) as refusal:
        split(written, place="to")
    assert refusal.value.place == "to"
    assert written == "" or written not in str(refusal.value)


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_whatever_passes_holds_nothing_that_ends_a_path_or_a_line(written: str) -> None:
    try:
        local, domain = split(written)
    except BadInput:
        return
    assert not set(f"{local}@{domain}") & set('\r\n\0 <>()[],;:"\\')
    assert domain.isascii()
    assert ascii_domain(domain) == domain


def test_a_mailbox_never_shows_its_address_in_a_repr() -> None:
    assert "ana" not in repr(Mailbox("ana@example.org", "Ana"))
