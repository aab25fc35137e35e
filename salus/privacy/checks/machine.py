"""The checks of this machine and its installation."""

from __future__ import annotations

from urllib.parse import urlsplit

from salus.privacy.checks.check import Check
from salus.privacy.posture import Facts, Severity

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
GIGABYTE = 1_000_000_000
FREE = 2 * GIGABYTE
"""Below it a database stops soon."""


def _https(facts: Facts) -> str | None:
    parts = urlsplit(facts.machine.public_url)
    if parts.scheme == "https" or (facts.demo and parts.hostname in LOOPBACK):
        return None
    if parts.hostname in LOOPBACK:
        return "Patients and staff can reach Salus from this machine only: there is no public address yet."
    return "The public address is plain http: what is read there can be read on the way."


def _database(facts: Facts) -> str | None:
    if facts.machine.database_verified:
        return None
    return f"The connection to the database on {facts.machine.database} does not verify its certificate."


def _files(facts: Facts) -> str | None:
    names = facts.machine.open_files
    return f"Others on this machine can read: {', '.join(names)}." if names else None


def _space(facts: Facts) -> str | None:
    free = facts.machine.free_bytes
    return (
        f"The disk has {free / GIGABYTE:.1f} GB left; the database stops when it is full."
        if free < FREE
        else None
    )


def _processes(facts: Facts) -> str | None:
    missing = [
        word
        for word, count in (("worker", facts.machine.workers), ("sender", facts.machine.senders))
        if not count
    ]
    return (
        f"On this machine no {' and no '.join(missing)} runs: nothing is sent or looked after."
        if missing
        else None
    )


def _laboratory(facts: Facts) -> str | None:
    if facts.demo or not facts.machine.laboratory:
        return None
    return "Mail goes to a development relay: no patient gets any."


def _shaping(facts: Facts) -> str | None:
    if facts.machine.shaping_fault:
        return f"No sender starts with this plan of destinations. {facts.machine.shaping_fault}"
    return None


def _addresses(facts: Facts) -> str | None:
    away = facts.machine.addresses_away
    return (
        f"Mail is to leave from addresses that this machine does not have: {', '.join(away)}."
        if away
        else None
    )


def _kit(facts: Facts) -> str | None:
    if facts.machine.kit_made:
        return None
    return "Nobody can bring the key file back: whoever loses it loses every record."


_H, _M = Severity.HIGH, Severity.MEDIUM

CHECKS = (
    Check(
        "public-https", "Patients and staff reach Salus over https", _H, "45 CFR 164.312(e)(1), (e)(2)(ii)",
        "Put a TLS proxy in front and name its https address: salus setup.", _https,
    ),
    Check(
        "database-tls", "The way to the database is protected", _H, "45 CFR 164.312(e)(1), (e)(2)(i)",
        "Add sslmode=verify-full and sslrootcert=FILE to DATABASE_URL.", _database,
    ),
    Check(
        "key-files", "Keys and data are closed to others on this machine", _H, "45 CFR 164.312(a)(1)",
        "Run chmod -R go-rwx on the home folder, and ask who could read it until now.", _files,
    ),
    Check(
        "recovery-kit", "The key file can be brought back", _H, "45 CFR 164.308(a)(7)(ii)(A), (B)",
        "Run salus keys recovery-kit, and give each sheet to another person.", _kit,
    ),
    Check(
        "disk-space", "The disk has room", _H, "45 CFR 164.306(a)(1)",
        "Make room, or move the home folder to a larger disk.", _space,
    ),
    Check(
        "processes", "Worker and sender run", _H, "45 CFR 164.306(a)(1)",
        "Start everything with salus start, and let your system start it after a reboot.", _processes,
    ),
    Check(
        "real-mail", "Mail goes to real mailboxes", _H, "45 CFR 164.306(a)(1)",
        "Unset SALUS_LABORATORY_ROUTES and start Salus again.", _laboratory,
    ),
    Check(
        "shaping-plan", "The plan of destinations can be read", _H, "45 CFR 164.306(a)(1)",
        "Mend shaping.toml in the home folder at that place, or take it away; docs/shaping.md says what it may say.", _shaping,
    ),
    Check(
        "source-addresses", "Mail can leave from the addresses in the plan", _M, "45 CFR 164.306(a)(1)",
        "Give this machine the addresses, or take them out of shaping.toml. Where senders run elsewhere, look there.", _addresses,
    ),
)  # fmt: skip
