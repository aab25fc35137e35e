"""Serves the few static files of the console from memory, compressed, with names that change with content."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.exceptions import SuspiciousFileOperation
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from salus.platform.web.errors import absent

FOREVER = "public, max-age=31536000, immutable"
SHRINKS = ("text/", "application/javascript", "image/svg+xml", "application/json")


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file as it is served."""

    content: bytes
    packed: bytes | None
    content_type: str
    version: str


def asset(name: str) -> Asset | None:
    """Return the static file `name`, or None; only what the finders know is ever read."""
    try:
        found = finders.find(name)
    except SuspiciousFileOperation:  # a way out of the folders
        return None
    if not isinstance(found, str):
        return None
    path = Path(found)
    return _load(str(path), path.stat().st_mtime_ns if settings.DEBUG else 0) if path.is_file() else None


@lru_cache(maxsize=256)
def _load(path: str, changed: int) -> Asset:
    content = Path(path).read_bytes()
    content_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    shrinks = content_type.startswith(SHRINKS)
    return Asset(
        content=content,
        packed=gzip.compress(content, 9, mtime=0) if shrinks else None,
        content_type=f"{content_type}; charset=utf-8" if shrinks else content_type,
        version=hashlib.sha256(content).hexdigest()[:12],
    )


_named_by_pages = lru_cache(maxsize=256)(asset)
"""Every page asks for the same few names, and looking for a file goes through a dozen folders."""


class VersionedStorage(StaticFilesStorage):
    """`{% static %}` writes `/static/name?v=<hash>`, so that a browser may keep it for ever."""

    def url(self, name: str | None, *args: Any, **kwargs: Any) -> str:
        """Return the address of `name` with the hash of its content."""
        plain: str = super().url(name, *args, **kwargs)
        known = (asset if settings.DEBUG else _named_by_pages)(name) if name else None
        return f"{plain}?v={known.version}" if known else plain


@require_safe
def serve(request: HttpRequest, name: str) -> HttpResponseBase:
    """Answer with a static file; kept for ever when its address carries the right hash."""
    known = asset(name)
    if known is None:
        return absent(request)
    tag = f'"{known.version}"'
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    elif known.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(known.packed, content_type=known.content_type)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = HttpResponse(known.content, content_type=known.content_type)
    patch_vary_headers(response, ["Accept-Encoding"])
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = FOREVER if request.GET.get("v") == known.version else "no-cache"
    return response
