"""Takes a small list of numbers that is uploaded, in memory only: nothing of it is ever on the disk."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

LARGEST = 2**20
"""Bytes of a list; of a larger one nothing is kept but its size."""


class MemoryHandler(FileUploadHandler):
    """Keeps what is uploaded while it is small; set it in the view, before `request.POST` is read."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        self._kept = io.BytesIO()
        self._size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a piece and pass nothing on."""
        self._size += len(raw_data)
        if self._size <= LARGEST:
            self._kept.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[Any]:
        """End a file."""
        self._kept.seek(0)
        return UploadedFile(file=self._kept, name="list", size=file_size)
