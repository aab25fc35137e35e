"""Takes reports out of what they came in: a mail, a zip, a gzip; bounded in octets, parts and files, whatever it claims.

Nothing here is believed: a size in a header, a name of a file, a number of parts.
"""

from __future__ import annotations

import email
import email.policy
import io
import zipfile
import zlib
from collections.abc import Iterator
from email.errors import MessageError
from email.message import Message
from typing import Final

LONGEST: Final = 10 * 1024 * 1024
"""Octets of one report, unpacked; the reports of the large providers have a few hundred kilobytes."""
MOST_PARTS, MOST_FILES = 20, 5
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


class TooLarge(Exception):
    """It unpacks to more than anybody's report has."""


def reports(raw: bytes) -> list[bytes]:
    """Return the reports in a file or a mail, unpacked; none for what holds none. Raises `TooLarge`."""
    found = [each for part in _parts(raw) for each in _unpacked(part)]
    return [each for each in found if each.lstrip()[:1] in (b"<", b"{", b"\xef")][:MOST_FILES]


def _parts(raw: bytes) -> Iterator[bytes]:
    if raw.startswith((_GZIP, _ZIP)) or raw.lstrip()[:1] in (b"<", b"{", b"\xef"):
        yield raw
        return
    try:
        message = email.message_from_bytes(raw, policy=email.policy.compat32)
        for count, part in enumerate(message.walk()):
            if count >= MOST_PARTS:
                return
            if body := _body(part):
                yield body
    except (MessageError, ValueError, LookupError, RecursionError):
        return


def _body(part: Message) -> bytes:
    if part.is_multipart():
        return b""
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _unpacked(body: bytes) -> Iterator[bytes]:
    if body.startswith(_GZIP):
        if found := _gunzipped(body):
            yield found
    elif body.startswith(_ZIP):
        yield from _unzipped(body)
    else:
        yield body


def _gunzipped(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(body, LONGEST + 1)
    except zlib.error:
        return b""
    if len(found) > LONGEST:
        raise TooLarge
    return found if unpacker.eof else b""


def _unzipped(body: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for info in archive.infolist()[:MOST_FILES]:
                with archive.open(info) as file:
                    found = file.read(LONGEST + 1)
                if len(found) > LONGEST:
                    raise TooLarge
                yield found
    # What zipfile raises for an archive that is broken, encrypted or compressed by what it does not know.
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, ValueError, EOFError, NotImplementedError):
        return
