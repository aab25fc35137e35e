"""Takes an uploaded file piece by piece and seals each piece: no plaintext on disk or in a form."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

from salus.intake import api
from salus.intake.contracts import ImportKind

KINDS = {kind.value: kind for kind in ImportKind}


class SealingHandler(FileUploadHandler):
    """Seals the files of one upload as an import that nobody has described yet.

    The kind of import stands in the address, so it is known when the bytes come. It must run inside
    the organization's transaction: set it in the view, before `request.POST` is read.
    """

    chunk_size = 512 * 1024

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.receiving: api.Receiving | None = None
        self._writer: Any = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        if self.receiving is None:
            assert self.request is not None
            kind = KINDS.get(self.request.GET.get("kind", ""))
            if kind is None:
                raise StopUpload(connection_reset=False)
            self.receiving = api.Receiving(kind)
        self._writer = self.receiving.file(self.file_name or "")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Seal a piece and pass nothing on."""
        self._writer.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[Any]:
        """End a file; what the form gets has a size and no content."""
        self._writer.close()
        return UploadedFile(file=io.BytesIO(), name="upload", size=file_size)
