"""Gives a file out so that it can do nothing but be kept or looked at."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import StreamingHttpResponse

from salus.files.contracts import FileFacts

_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"


def download(facts: FileFacts, pieces: Iterator[bytes], *, inline: bool = False) -> StreamingHttpResponse:
    """Return a file as a download; `inline` lets a page of ours show a picture, and nothing else.

    It is saved under a neutral name: what a file is called may tell of its reader to whoever uses the device.
    """
    shown = inline and facts.kind.picture
    neutral = f"file-{facts.id.hex[-6:]}.{facts.kind.ending}"
    response = StreamingHttpResponse(pieces, content_type=facts.kind.media)
    response.headers["Content-Length"] = str(facts.size)
    response.headers["Content-Disposition"] = "inline" if shown else f'attachment; filename="{neutral}"'
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response
