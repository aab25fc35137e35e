"""An authority and GnuPG, made once for all tests of sealed mail."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sealedmail.holders import Gpg, MailAuthority


@pytest.fixture(scope="session")
def authority() -> MailAuthority:
    """An authority for mail."""
    return MailAuthority()


@pytest.fixture(scope="session")
def gpg() -> Iterator[Gpg]:
    """GnuPG; sockets of its agent want a short path."""
    with tempfile.TemporaryDirectory(prefix="gpg") as folder:
        made = Gpg(Path(folder))
        yield made
        made.end()
