"""Takes the files of a form piece by piece: each is looked at and sealed while it comes, none is kept in clear."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

from salus.files import rules
from salus.files.contracts import FileFacts, FileRefused, Why
from salus.files.operations import Receiving, erase_drafts
from salus.kernel.acting import Actor

BESIDE = 256 * 1024
"""Bytes that the other fields of the form may have."""


class Attaching(FileUploadHandler):
    """Seals the files of one form as drafts; `files` are those that were taken, `refused` why one was not.

    It must run inside the organization's transaction: set it in the view, before `request.POST` is read.
    Of a refused file nothing is kept; `undo` gives up the others when the form leads to nothing.
    """

    chunk_size = 64 * 1024

    def __init__(
        self, request: HttpRequest, contact_id: UUID, *, draft_id: UUID, actor: Actor, clock: Callable[[], datetime]
    ) -> None:  # fmt: skip
        super().__init__(request)
        self._contact_id, self._draft_id, self._actor, self._now = contact_id, draft_id, actor, clock
        self._receiving: Receiving | None = None
        self.files: list[FileFacts] = []
        self.refused: FileRefused | None = None
        self.is_too_much = int(request.META.get("CONTENT_LENGTH") or 0) > rules.MOST * rules.LARGEST + BESIDE
        """More is announced than could be taken: answer without reading it."""

    @property
    def ids(self) -> tuple[UUID, ...]:
        """Return the drafts that were taken."""
        return tuple(each.id for each in self.files)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        if len(self.files) >= rules.MOST:
            self._refuse(FileRefused(Why.TOO_MANY))
        self._receiving = Receiving(self._contact_id, self.file_name or "", draft_id=self._draft_id)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Seal a piece and pass nothing on."""
        assert self._receiving is not None
        try:
            self._receiving.write(raw_data)
        except FileRefused as refused:
            self._refuse(refused)

    def file_complete(self, file_size: int) -> UploadedFile[Any]:
        """End a file; what the form gets has a size and no content."""
        receiving, self._receiving = self._receiving, None
        assert receiving is not None
        try:
            self.files.append(receiving.finish(actor=self._actor, at=self._now()))
        except FileRefused as refused:
            receiving.abandon()
            self.refused = self.refused or refused
        return UploadedFile(file=io.BytesIO(), name="file", size=file_size)

    def undo(self) -> None:
        """Erase what was taken."""
        erase_drafts(self.ids, draft_id=self._draft_id, actor=self._actor)
        self.files = []

    def _refuse(self, refused: FileRefused) -> None:
        if self._receiving is not None:
            self._receiving.abandon()
        self.refused = self.refused or refused
        raise SkipFile
