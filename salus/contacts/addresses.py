"""Normal forms of e-mail addresses and phone numbers, so that one address is one string everywhere."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from salus.kernel.errors import BadInput

LONGEST_EMAIL = 254
"""RFC 5321 4.5.3.1.3, less the two angle brackets of a path."""
LONGEST_LOCAL = 64

RESERVED_TLDS = frozenset({"test", "example", "invalid", "localhost"})
"""RFC 2606 and RFC 6761: names that never exist on the internet, meant for laboratories."""
RESERVED_DOMAINS = ("example.com", "example.net", "example.org")

_PLAIN_LOCAL = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*")
_PLAIN_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_US_NUMBER = re.compile(r"(?:\+?1[ .-]?)?\(?([2-9][0-9]{2})\)?[ .-]?([0-9]{3})[ .-]?([0-9]{4})")


def _library_email(text: str) -> str:
    """Return what `email-validator` makes of `text`, small letters, domain in ASCII; raises `BadInput`."""
    try:
        found = validate_email(
            text, check_deliverability=False, test_environment=True, strict=True, allow_smtputf8=False
        )
    except EmailNotValidError:
        # The library's message quotes the address, so it goes no further.
        raise BadInput("is not an e-mail address") from None
    return (found.ascii_email or found.normalized).lower()


@lru_cache(maxsize=65536)
def _library_domain(domain: str) -> str | None:
    """Return the normal form of a domain as the library sees it, or None when it is none."""
    try:
        return _library_email(f"a@{domain}").removeprefix("a@")
    except BadInput:
        return None


def is_reserved(domain: str) -> bool:
    """Return whether `domain` (normalized) is reserved for laboratories and documentation."""
    return domain.rpartition(".")[2] in RESERVED_TLDS or any(
        domain == name or domain.endswith("." + name) for name in RESERVED_DOMAINS
    )


def normalize_email(text: str, *, laboratory: bool) -> str:
    """Return `text` as an address in small letters, its domain in ASCII (IDNA), as `email-validator` does.

    Reserved names (.test, .example, example.org...) are refused outside a `laboratory`, because mail
    to them cannot arrive. Raises `BadInput`; its text does not hold the address.
    """
    word = text.strip().lower()
    local, _, domain = word.partition("@")
    plain = (
        text.isascii()
        and len(local) <= LONGEST_LOCAL
        and len(word) <= LONGEST_EMAIL
        and _PLAIN_LOCAL.fullmatch(local)
        and _PLAIN_DOMAIN.fullmatch(domain)
    )
    known = _library_domain(domain) if plain else None
    normal = f"{local}@{known}" if known is not None else _library_email(text.strip())
    if not laboratory and is_reserved(normal.rpartition("@")[2]):
        raise BadInput("is a name reserved for tests, where mail cannot arrive")
    return normal


@lru_cache(maxsize=8192)
def _library_phone(text: str, region: str) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise BadInput("is not a phone number") from None
    if not phonenumbers.is_possible_number(number) or number.extension:
        raise BadInput("is not a phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalize_phone(text: str, region: str = "US") -> str:
    """Return `text` in E.164 ("+15558107203"). `region` is where a number without "+" is dialled.

    A number must be possible (length, prefix), not assigned: synthetic and new exchanges pass.
    Raises `BadInput`; its text does not hold the number.
    """
    word = text.strip()
    if region == "US":
        plain = _US_NUMBER.fullmatch(word)
        if plain is not None:
            return f"+1{plain[1]}{plain[2]}{plain[3]}"
    return _library_phone(word, region)
