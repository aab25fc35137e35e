"""Small files of each kind, and PDFs that hold what they should not."""

from __future__ import annotations

import zlib

PNG = b"\x89PNG\r\n\x1a\n" + bytes(80)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(80)
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(80)
HEIC = b"\x00\x00\x00\x18ftypheic" + bytes(80)
TEXT = "Señora, two tablets at noon.\n".encode()
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n" + b"%" * 80 + b"\n%%EOF\n"


def pdf(objects: bytes) -> bytes:
    """Return a PDF with these objects."""
    return b"%PDF-1.7\n" + b"% filler " * 10 + b"\n" + objects + b"\n%%EOF\n"


def packed(objects: bytes, dictionary: bytes = b"/Type /ObjStm /Filter /FlateDecode") -> bytes:
    """Return a PDF whose objects are in a compressed stream."""
    data = zlib.compress(objects)
    return pdf(b"7 0 obj\n<< " + dictionary + b" >>\nstream\r\n" + data + b"\nendstream\nendobj")
