"""Header fields written by hand: RFC 2047 words, folding, and the refusal of anything that could inject."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from salus.delivery.addresses import Mailbox, ascii_address
from salus.kernel.errors import BadInput

LINE = 78
"""Characters in a line, without its end (RFC 5322, 2.1.1)."""
ENCODED_LINE = 76
"""The same for a line that holds an encoded word (RFC 2047, section 2)."""
MAX_TEXT = 500
"""Characters in a subject or a display name; above it something is wrong with the template."""

_NEVER = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_QUOTABLE = re.compile(r"[ -~]+")
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q = [chr(b) if b in _Q_SAFE else "_" if b == 0x20 else f"={b:02X}" for b in range(256)]


def refuse_unsafe(value: str, place: str, longest: int = MAX_TEXT) -> None:
    """Raise `BadInput` when `value` holds a control, a line separator or a surrogate, or is overlong."""
    if len(value) > longest:
        raise BadInput(f"This is longer than {longest} characters.", place=place)
    if _NEVER.search(value):
        raise BadInput("This holds a control character or a broken one; a header cannot.", place=place)


def unstructured(name: str, value: str, *, place: str) -> str:
    """Return the header field `name: value` with its line end, encoded and folded as it needs.

    What a conforming parser reads back is `value` to the letter.
    """
    refuse_unsafe(value, place)
    plain = _PLAIN.fullmatch(value) and "=?" not in value
    if plain and len(name) + 2 + len(value) <= LINE:
        return f"{name}: {value}\r\n"
    if plain and max(map(len, value.split(" "))) <= LINE - 2 - len(name):
        return _fold(f"{name}:", value.split(" "), LINE)
    if not value:
        return f"{name}:\r\n"
    return _fold(f"{name}:", list(_words(value, ENCODED_LINE - 2 - len(name))), ENCODED_LINE)


def mailbox(name: str, box: Mailbox, *, place: str) -> str:
    """Return an address header field with one mailbox: `To: "Ana Díaz" <ana@example.org>`."""
    address = ascii_address(box.address, place=place)
    if not box.name:
        return f"{name}: {address}\r\n"
    return named(name, box.name, f"<{address}>", place=place)


def named(name: str, words: str, what: str, *, place: str) -> str:
    """Return the header field `name: words what`; `what` stands in its brackets and is written as it is."""
    return _fold(f"{name}:", [*_phrase(words, name, place), what], ENCODED_LINE)


def _phrase(value: str, name: str, place: str) -> list[str]:
    refuse_unsafe(value, place)
    if "=?" not in value and len(value) <= LINE - 2 - len(name):
        if _ATOMS.fullmatch(value):
            return [value]
        if _QUOTABLE.fullmatch(value):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return [f'"{escaped}"']
    return list(_words(value, ENCODED_LINE - 2 - len(name)))


def _words(value: str, first: int) -> Iterator[str]:
    """Yield encoded words of at most 75 characters (the first of `first`); characters stay whole."""
    octets = value.encode()
    quoted = sum(len(_Q[octet]) for octet in octets) <= len(octets) * 4 / 3
    room = min(first, 75) - len("=?utf-8?q??=")
    chunk, size = b"", 0
    for character in value:
        encoded = character.encode()
        cost = sum(len(_Q[octet]) for octet in encoded) if quoted else len(encoded)
        limit = room if quoted else room // 4 * 3
        if size + cost > limit:
            yield _word(chunk, quoted=quoted)
            chunk, size, room = b"", 0, 75 - len("=?utf-8?q??=")
        chunk, size = chunk + encoded, size + cost
    yield _word(chunk, quoted=quoted)


def _word(chunk: bytes, *, quoted: bool) -> str:
    if quoted:
        return f"=?utf-8?q?{''.join([_Q[octet] for octet in chunk])}?="
    return f"=?utf-8?b?{binascii.b2a_base64(chunk, newline=False).decode('ascii')}?="


def _fold(start: str, parts: list[str], limit: int) -> str:
    """Return a field whose lines break only between `parts`."""
    lines, line = [], start
    for part in parts:
        if len(line) + 1 + len(part) > limit and line != start:
            lines.append(line)
            line = ""
        line = f"{line} {part}"
    lines.append(line)
    return "\r\n".join(lines) + "\r\n"
