"""One organization's encrypted DuckDB file: opened with its key, thrown away when it cannot be used."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import duckdb_extension_httpfs  # type: ignore[import-untyped]

from salus.audiences import calendar_rules, columns
from salus.contacts.contracts import Attribute
from salus.kernel.errors import Unavailable

log = logging.getLogger(__name__)

if importlib.util.find_spec("pandas") is None:
    # DuckDB looks for pandas on the disk for every bound value, anew each time: 0.3 ms a value. None
    # tells the import system that it is not there.
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]

FILE = "people.duckdb"
LAYOUT = 1
"""Changes when the same documents would be stored differently; an older file is then built anew."""
_CATALOG = "store"


class Store:
    """An open file. `cursor()` gives connections for threads; the file's lock belongs to this process."""

    def __init__(
        self,
        directory: Path,
        key: bytes,
        attributes: Mapping[str, Attribute],
        *,
        memory_megabytes: int = 800,
        threads: int = 2,
    ) -> None:
        self.attributes = attributes
        self.zones = tuple(sorted(calendar_rules.known_zones()))
        self.fresh = False
        """Whether the file was made now, so that everybody must be loaded."""
        self._directory = directory
        self._key = key
        self._settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads,
            "memory_limit": f"{memory_megabytes}MB",
            "temp_directory": str(directory / "spill"),
            "temp_file_encryption": True,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "enable_external_file_cache": False,
            "python_enable_replacements": False,
        }
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory.chmod(0o700)
        self._lock = threading.Lock()
        self._connection = self._open()

    @property
    def file(self) -> Path:
        """Return the path of the file."""
        return self._directory / FILE

    def _open(self) -> duckdb.DuckDBPyConnection:
        try:
            return self._attach()
        except (duckdb.Error, Stale) as fault:
            # Never the text of the error: it may quote what is in the file.
            log.warning("The audience file is built anew: %s", type(fault).__name__)
        self.throw_away()
        return self._attach()

    def _attach(self) -> duckdb.DuckDBPyConnection:
        new = not self.file.exists()
        connection = duckdb.connect(":memory:", config=self._settings)
        try:
            _load_openssl(connection)
            connection.execute(
                f"ATTACH '{_quoted(self.file)}' AS {_CATALOG} "
                f"(ENCRYPTION_KEY '{self._key.hex()}', ENCRYPTION_CIPHER 'GCM')"
            )
            connection.execute(f"USE {_CATALOG}")
            # From here on no statement reaches any other file, whatever it says.
            connection.execute("SET enable_external_access = false")
            if new:
                self._create(connection)
            else:
                self._check(connection)
        except BaseException:
            connection.close()
            raise
        self.file.chmod(0o600)
        self.fresh = new
        return connection

    def _check(self, connection: duckdb.DuckDBPyConnection) -> None:
        found = connection.execute("SELECT value FROM about WHERE name = 'layout'").fetchone()
        if found != (self._layout(),):
            raise Stale

    def _create(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.begin()
        listed = ", ".join(f"'{name}'" for name in self.zones)
        connection.execute(f"CREATE TYPE {columns.ZONE_TYPE} AS ENUM ({listed})")
        for table, types in columns.schema(self.attributes).items():
            listed = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
            connection.execute(f"CREATE TABLE {table} ({listed})")
        connection.execute("CREATE TABLE about (name VARCHAR, value VARCHAR)")
        connection.execute("CREATE TABLE feed (name VARCHAR, number BIGINT)")
        connection.execute("INSERT INTO about VALUES ('layout', $1)", [self._layout()])
        connection.commit()

    def _layout(self) -> str:
        described = json.dumps([LAYOUT, duckdb.__version__, columns.schema(self.attributes), self.zones])
        return hashlib.sha256(described.encode()).hexdigest()

    def throw_away(self) -> None:
        """Remove the file and all that belongs to it."""
        for path in self._directory.glob(f"{FILE}*"):
            path.unlink()
        shutil.rmtree(self._directory / "spill", ignore_errors=True)

    def rebuild(self) -> None:
        """Throw the file away and begin an empty one; other cursors must not be in use."""
        with self._lock:
            self._connection.close()
            self.throw_away()
            self._connection = self._attach()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection of one's own, at home in the file; raises `Unavailable` when it is closed."""
        with self._lock:
            try:
                cursor = self._connection.cursor()
            except duckdb.ConnectionException:
                raise Unavailable("The audience engine is closing.") from None
        try:
            cursor.execute(f"USE {_CATALOG}")
            yield cursor
        finally:
            cursor.close()

    def zone_names(self) -> dict[int, str]:
        """Return the time zones by their number in the file."""
        return dict(enumerate(self.zones, 1))

    @contextmanager
    def one_thread_a_statement(self) -> Iterator[None]:
        """Let statements run in the caller's thread alone, for a while in which several callers write.

        Measured while loading: with DuckDB's own threads beside ours, a document costs three times as much.
        """
        with self.cursor() as cursor:
            cursor.execute("SET threads = 1")
        try:
            yield
        finally:
            with self.cursor() as cursor:
                cursor.execute(f"SET threads = {int(str(self._settings['threads']))}")

    def limit_memory(self, megabytes: int) -> None:
        """Change how much memory DuckDB may use."""
        with self.cursor() as cursor:
            cursor.execute(f"SET memory_limit = '{int(megabytes)}MB'")

    def checkpoint(self) -> None:
        """Move what is in the write-ahead log into the file."""
        with self.cursor() as cursor:
            cursor.execute(f"CHECKPOINT {_CATALOG}")

    def close(self) -> None:
        """Close the file; nothing of it stays open."""
        with self._lock:
            self._connection.close()
        shutil.rmtree(self._directory / "spill", ignore_errors=True)


class Stale(Exception):
    """The file was made for other columns, or by another version of the store."""


def _load_openssl(connection: duckdb.DuckDBPyConnection) -> None:
    """Load the extension whose OpenSSL encrypts the file; DuckDB alone refuses to write encrypted files."""
    folder = Path(str(duckdb_extension_httpfs.__file__)).parent
    found = sorted(folder.glob(f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension"))
    if not found:
        raise Unavailable(
            "The encryption of the audience file is not installed.",
            next_step=f"Install duckdb-extension-httpfs {duckdb.__version__}.",
        )
    connection.execute(f"LOAD '{_quoted(found[0])}'")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
