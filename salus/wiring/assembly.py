"""Puts the adapters into the ports: which key provider, signer and directories this process uses."""

from __future__ import annotations

from salus.wiring.home import Home


def assemble(home: Home) -> None:
    """Give every package its ports for the installation at `home`; Django must be set up."""
    from django.conf import settings

    from salus.audiences import api as audiences
    from salus.audit import api as audit
    from salus.contacts.web.panels import use_panels
    from salus.delivery import api as delivery
    from salus.domains import api as domains
    from salus.duplicates import api as duplicates
    from salus.duplicates.web.views import merges_panel
    from salus.identity import api as identity
    from salus.inbox.web.letters import letter_panel
    from salus.journeys.web.people import contact_panel
    from salus.keys import api as keys
    from salus.patients import api as patients
    from salus.platform import outbound
    from salus.portal import api as portal
    from salus.privacy import api as privacy
    from salus.privacy.web.requests import requests_panel
    from salus.reports.web.looks import looks_panel
    from salus.retention import api as retention
    from salus.retention.web.holds import hold_panel
    from salus.safeguards.web.views import wish_panel
    from salus.sealedmail import api as sealedmail
    from salus.sealedmail.web.views import keys_panel
    from salus.vendors import api as vendors
    from salus.wiring import aged
    from salus.wiring.gate_preview import preview
    from salus.wiring.joined import STEPS
    from salus.wiring.pages import PublicPages
    from salus.wiring.person import PACKAGES
    from salus.wiring.sealed import tell_keys
    from salus.wiring.setup import facts
    from salus.wiring.subscriptions import subscribe

    keys.configure(keys.file_provider(home.keys), home.keys)
    tell_keys()
    audit.use_signer(keys.checkpoint_signer())
    audit.use_witness_directory(home.witness)
    domains.use_installation(facts.describe)
    delivery.use_tally(domains.keep_tally)
    delivery.use_reports(domains.report_came)
    delivery.use_pages(PublicPages(settings.SALUS_PUBLIC_URL))
    audiences.use_gate_preview(preview)
    use_panels(
        [
            letter_panel,
            contact_panel,
            looks_panel,
            requests_panel,
            hold_panel,
            merges_panel,
            wish_panel,
            keys_panel,
        ]
    )
    duplicates.use_steps(STEPS)
    retention.use_steps(aged.STEPS)
    patients.use_post(delivery)
    portal.use_mailbox(delivery)
    identity.use_ask_provider(delivery.ask_identity_provider)
    sealedmail.use_directory(delivery.ask_key_directory)
    vendors.use_queues(delivery.waiting_for)
    outbound.use_register(vendors.outbound, lambda: [each.id for each in identity.organizations()])
    privacy.use_facts(facts.gather)
    privacy.use_packages(PACKAGES)
    privacy.use_erased_list(home.erased)
    subscribe()
