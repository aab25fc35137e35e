"""Gives a file out so that it can do nothing but be kept or looked at."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from django.http import StreamingHttpResponse

from salus.files.contracts import FileFacts

_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"


def download(facts: FileFacts, pieces: Iterator[bytes], *, inline: bool = False) -> StreamingHttpResponse:
    """Return a file as a download; `inline` lets a page of ours show a picture, and nothing else."""
    shown = inline and facts.kind.picture
    name = facts.name.reveal()
    response = StreamingHttpResponse(pieces, content_type=facts.kind.media)
    response.headers["Content-Length"] = str(facts.size)
    response.headers["Content-Disposition"] = "inline" if shown else (
        f"attachment; filename=\"file.{facts.kind.ending}\"; filename*=UTF-8''{quote(name, safe='')}"
    )  # fmt: skip
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response
