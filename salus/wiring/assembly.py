"""Puts the adapters into the ports: which key provider, signer and directories this process uses."""

from __future__ import annotations

from importlib.util import find_spec

from salus.wiring.home import Home


def assemble(home: Home) -> None:
    """Give every package its ports for the installation at `home`; Django must be set up."""
    from salus.audit import api as audit
    from salus.keys import api as keys

    keys.configure(keys.file_provider(home.keys), home.keys)
    audit.use_signer(keys.checkpoint_signer())
    audit.use_witness_directory(home.path / "witness")
    if find_spec("salus.gate.api"):  # while the house is being built
        _assemble_messages()


def _assemble_messages() -> None:
    from django.conf import settings

    from salus.delivery import api as delivery
    from salus.patients import api as patients
    from salus.portal import api as portal
    from salus.reports import api as reports
    from salus.wiring.pages import PublicPages

    delivery.use_pages(PublicPages(settings.SALUS_PUBLIC_URL))
    delivery.use_origins(reports.describe_sending)
    patients.use_post(delivery)
    portal.use_mailbox(delivery)
