"""Puts the adapters into the ports: which key provider, signer and directories this process uses."""

from __future__ import annotations

from salus.wiring.home import Home


def assemble(home: Home) -> None:
    """Give every package its ports for the installation at `home`; Django must be set up."""
