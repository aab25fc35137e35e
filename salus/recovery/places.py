"""Where a directory really is: on a disk of this machine, or on somebody else's."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from salus.kernel.outbound import OutOfScope, ServiceKind, Why
from salus.platform import outbound

_MOUNTS = Path("/proc/self/mountinfo")
_ELSEWHERE = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "afs", "davfs", "ncpfs"}
)
"""File systems that are on another machine; those of user programs (fuse) may be anywhere."""


def is_elsewhere(directory: Path, mounts: Path = _MOUNTS) -> bool:
    """Return whether a directory is, or would be, on a file system of another machine."""
    directory = directory.resolve()
    best, kind = -1, ""
    for line in mounts.read_text().splitlines() if mounts.exists() else []:
        left, _, right = line.partition(" - ")
        point = Path(left.split()[4].encode().decode("unicode_escape"))
        if directory.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), right.split()[0]
    return kind in _ELSEWHERE or kind.startswith("fuse")


def ask(directory: Path, service: str, at: datetime, mounts: Path = _MOUNTS) -> None:
    """Ask the vendor register whether backups may go to a directory that is somebody else's.

    `service` is the address under which it is registered, empty for a disk of one's own. Raises
    `OutOfScope`: a backup holds everything there is (45 CFR 164.308(b)(1), 164.502(e)).
    """
    if service:
        outbound.ask_everywhere(ServiceKind.BACKUP, service, at=at)
    elif is_elsewhere(directory, mounts):
        raise OutOfScope(
            Why.UNKNOWN,
            f"{directory} is on another machine's disk, and nobody said whose.",
            next_step="Register the service under Vendors, and name its address: --service sftp://host/path",
        )
