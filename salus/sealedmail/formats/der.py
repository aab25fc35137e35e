"""DER, written by hand: the few shapes that an encrypted message needs (ITU-T X.690)."""

from __future__ import annotations


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return one element: its tag octet, its length, its content."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE of elements."""
    return tlv(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    """Return a SET OF elements, in the order that DER asks for."""
    return tlv(0x31, *sorted(parts))


def integer(value: int) -> bytes:
    """Return an INTEGER that is not negative."""
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value: bytes) -> bytes:
    """Return an OCTET STRING."""
    return tlv(0x04, value)


def bits(value: bytes) -> bytes:
    """Return a BIT STRING of whole octets."""
    return tlv(0x03, b"\0", value)


def context(number: int, *parts: bytes, constructed: bool = True) -> bytes:
    """Return an element with the context's own tag `number` (below 31)."""
    return tlv((0xA0 if constructed else 0x80) | number, *parts)


def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    encoded = b""
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        encoded += bytes(reversed(groups))
    return tlv(0x06, encoded)
