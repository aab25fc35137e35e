"""Cuts a foreign message into its parts with hard bounds, for the readers of bounces."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from dataclasses import dataclass

MAX_HEADER_LINES = 300
MAX_VALUE = 4000
MAX_PARTS = 20
MAX_DEPTH = 3
MAX_LINES = 20_000

Field = dict[str, str]

_NAME = re.compile(r"([!-9;-~]{1,80})[ \t]{0,8}:")
_BOUNDARY = re.compile(r'boundary\s{0,5}=\s{0,5}(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class Part:
    """A part of a message: its headers (first of each, lower-case names) and its undecoded body."""

    kind: str
    headers: Field
    body: str

    def text(self) -> str:
        """Return the body, its transfer encoding undone; a broken encoding gives what can be read."""
        encoding = self.headers.get("content-transfer-encoding", "").strip().lower()
        octets = self.body.encode("latin-1")
        if encoding == "base64":
            try:
                octets = base64.b64decode(re.sub(rb"[^A-Za-z0-9+/]", b"", octets) + b"===")
            except binascii.Error:
                octets = b""
        elif encoding == "quoted-printable":
            octets = quopri.decodestring(octets)
        else:
            return self.body
        return octets.decode("utf-8", "replace").replace("\r\n", "\n")


def header_fields(block: str) -> Field:
    """Return the fields of a header block, unfolded, names in lower case; the first of a name counts."""
    fields: Field = {}
    name = ""
    for line in block.split("\n", MAX_HEADER_LINES)[:MAX_HEADER_LINES]:
        if line[:1] in (" ", "\t"):
            if name and len(fields[name]) < MAX_VALUE:
                fields[name] = f"{fields[name]} {line[:MAX_VALUE].strip()}"
            continue
        found = _NAME.match(line)
        name = found[1].lower() if found else ""
        if found and name not in fields:
            fields[name] = line[found.end() : found.end() + MAX_VALUE].strip()
        else:
            name = ""
    return fields


def read_part(text: str, default: str = "text/plain") -> Part:
    """Return headers and body of a message or of one part of it."""
    head, _, body = text.partition("\n\n") if not text.startswith("\n") else ("", "", text[1:])
    fields = header_fields(head)
    kind = fields.get("content-type", default).partition(";")[0].strip().lower() or default
    return Part(kind, fields, body)


def flatten(top: Part) -> list[Part]:
    """Return the leaves of a message in order, at most `MAX_PARTS`, no deeper than `MAX_DEPTH`."""
    level, leaves = [top], []
    for _ in range(MAX_DEPTH):
        below: list[Part] = []
        for part in level:
            inner = _cut(part) if part.kind.startswith("multipart/") else []
            (below.extend(inner) if inner else leaves.append(part))
        level = below[:MAX_PARTS]
    return (leaves + level)[:MAX_PARTS] or [top]


def _cut(part: Part) -> list[Part]:
    found = _BOUNDARY.search(part.headers.get("content-type", ""))
    if not found:
        return []
    edge = f"--{found[1] or found[2]}"
    default = "message/rfc822" if part.kind == "multipart/digest" else "text/plain"
    parts: list[Part] = []
    lines: list[str] | None = None
    for line in part.body.split("\n", MAX_LINES)[:MAX_LINES]:
        if line.startswith(edge) and line.rstrip() in (edge, f"{edge}--"):
            if lines is not None:
                parts.append(read_part("\n".join(lines), default))
            lines = []
            if line.rstrip() == f"{edge}--" or len(parts) == MAX_PARTS:
                return parts
        elif lines is not None:
            lines.append(line)
    if lines:
        parts.append(read_part("\n".join(lines), default))
    return parts
