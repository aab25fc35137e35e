"""`salus sender` without our signature, to measure what is left where a relay signs; for `./bench send` alone."""

from __future__ import annotations

from datetime import datetime

from salus.delivery.protection.dkim import Signer
from salus.wiring.cli import main


def _as_it_is(self: Signer, message: bytes, at: datetime) -> bytes:
    return message


if __name__ == "__main__":
    Signer.sign = _as_it_is  # type: ignore[method-assign]
    raise SystemExit(main(["sender"]))
