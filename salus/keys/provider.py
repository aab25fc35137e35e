"""The key provider that comes with the product: a key-encryption key in a file that only we can read."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

import tink
from tink import aead, secret_key_access

from salus.kernel.errors import BadInput, Unavailable
from salus.keys.keysets import key_id

aead.register()

KEY_FILE = "key-encryption-key.json"


class FileKeyProvider:
    """Wraps keysets with the AES-256-GCM key in `path` (a `contracts.KeyProvider`).

    The file is a Tink keyset in JSON, so that Tink's own tools can rotate it. It is refused when its
    owner is somebody else or when anybody else may read it.
    """

    def __init__(self, path: Path) -> None:
        text = read_private(path)
        try:
            handle = tink.json_proto_keyset_format.parse(text.decode(), secret_key_access.TOKEN)
            self._aead = handle.primitive(aead.Aead)
            serialized = tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
        except (tink.TinkError, UnicodeDecodeError) as fault:
            raise Unavailable(
                f"The key file {path.name} is not a Tink keyset.",
                kept="Nothing was written over it.",
                next_step="Bring it back from your backup: without it nothing sealed here can be opened.",
            ) from fault
        self._name = f"file:{key_id(bytes(serialized)):08x}"

    def name(self) -> str:
        """Return which key this is; stored beside what it wrapped."""
        return self._name

    def wrap(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return `plaintext` encrypted and bound to `associated_data`."""
        return bytes(self._aead.encrypt(plaintext, associated_data))

    def unwrap(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Return what was wrapped; raises `BadInput` when it was not by this key or not for this place."""
        try:
            return bytes(self._aead.decrypt(bytes(ciphertext), associated_data))
        except tink.TinkError as fault:
            raise BadInput(f"A wrapped key does not open with the key file {self._name}.") from fault


def file_provider(directory: Path) -> FileKeyProvider:
    """Return the provider of the key file in `directory`, made there if the directory holds no secret yet.

    A directory that has sealed secrets but no key file is not given a new one: raises `Unavailable`.
    """
    path = directory / KEY_FILE
    if not path.exists():
        if any(directory.glob("*.sealed")):
            raise Unavailable(
                f"The key file {KEY_FILE} is missing, though secrets sealed with it are here.",
                kept="Nothing was changed.",
                next_step="Bring it back: from your backup, or with salus keys recover. If AWS KMS wraps the keys of "
                "every organization, move the .sealed files away instead: they are made anew.",
            )
        handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
        write_private(path, tink.json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN).encode())
    return FileKeyProvider(path)


def read_private(path: Path) -> bytes:
    """Return the content of a file that is ours alone; raises `Unavailable` with what to do."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as fault:
        raise Unavailable(
            f"The key file {path.name} cannot be read ({fault.strerror}).",
            next_step="Check that it is there, that it is no link, and that it belongs to the user who runs Salus.",
        ) from fault
    try:
        found = os.fstat(handle)
        _refuse_loose(path.name, found)
        return os.read(handle, found.st_size)
    finally:
        os.close(handle)


def _refuse_loose(name: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise Unavailable(f"The key file {name} is not a regular file.")
    if found.st_uid != os.geteuid():
        raise Unavailable(
            f"The key file {name} belongs to another user (uid {found.st_uid}).",
            next_step=f"Run as that user, or make the file yours: chown {os.geteuid()} {name}",
        )
    if found.st_mode & 0o077:
        raise Unavailable(
            f"The key file {name} is open to others (mode {stat.S_IMODE(found.st_mode):o}).",
            next_step=f"Run: chmod 600 {name}. Whoever could read it may have copied it: rotate it.",
        )


def write_private(path: Path, content: bytes) -> None:
    """Write a new file of mode 0600 whole or not at all; an existing file is left as it is."""
    draft = _draft(path, content)
    try:
        with contextlib.suppress(FileExistsError):  # whoever comes second uses the first one's
            os.link(draft, path)
    finally:
        draft.unlink()
    _flush(path.parent)


def replace_private(path: Path, content: bytes) -> None:
    """Put a file of mode 0600 in the place of `path`, whole or not at all."""
    _draft(path, content).replace(path)
    _flush(path.parent)


def _draft(path: Path, content: bytes) -> Path:
    """Write `content` to the disk beside `path`."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _flush(directory: Path) -> None:
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
