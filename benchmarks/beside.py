"""Other programs, measured beside ours on the same machine."""

from __future__ import annotations

import shutil
import subprocess
import time


def smtp_source(port: int, to: str, count: int) -> dict[str, float]:
    """Return what Postfix's `smtp-source` gets rid of at the same sink: no TLS, one text for all; {} without Postfix."""
    program = shutil.which("smtp-source", path="/usr/sbin:/usr/bin")
    if program is None:
        return {}
    began = time.perf_counter()
    subprocess.run(
        [program, "-d", "-s", "20", "-l", "12000", "-m", str(count), "-f", "care@clinic.example.test",
         "-t", to, f"inet:127.0.0.1:{port}"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return {"messages_per_second": round(count / (time.perf_counter() - began), 1)}
