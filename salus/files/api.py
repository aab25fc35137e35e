"""The door of files. Call it inside the organization's context; whoever calls says who may read what."""

from __future__ import annotations

from salus.files.kinds import kinds
from salus.files.leaving import erase_person, export_person
from salus.files.operations import attach, erase, erase_drafts, forget_drafts, take
from salus.files.queries import file, files_of, read
from salus.files.rules import LARGEST, MOST
from salus.files.scanning import scanner
from salus.files.serving import download
from salus.files.uploading import Attaching

__all__ = [
    "LARGEST",
    "MOST",
    "Attaching",
    "attach",
    "download",
    "erase",
    "erase_drafts",
    "erase_person",
    "export_person",
    "file",
    "files_of",
    "forget_drafts",
    "kinds",
    "read",
    "scanner",
    "take",
]
