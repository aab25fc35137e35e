"""Puts the adapters into the ports: which key provider, signer and directories this process uses."""

from __future__ import annotations

from salus.wiring.home import Home


def assemble(home: Home) -> None:
    """Give every package its ports for the installation at `home`; Django must be set up."""
    from salus.audit import api as audit
    from salus.keys import api as keys

    keys.configure(keys.file_provider(home.keys), home.keys)
    audit.use_signer(keys.checkpoint_signer())
    audit.use_witness_directory(home.path / "witness")
