"""The door of vendors. Call it inside the organization's context; whoever calls asked for the permission."""

from __future__ import annotations

from salus.vendors.addresses import SCHEMES
from salus.vendors.assuring import assign, drop_subcontractor, record_subcontractor, verify
from salus.vendors.due import REMINDERS, SOON
from salus.vendors.duties import DUTIES, gaps
from salus.vendors.operations import (
    attest,
    change_service,
    change_vendor,
    create_service,
    create_vendor,
    end_agreement,
    record_agreement,
    renew_secret,
    show_secret,
    signing_secrets,
    switch_service,
)
from salus.vendors.ports import use_queues, waiting
from salus.vendors.queries import (
    breach_clock,
    calendar,
    findings,
    outbound,
    reminders,
    service,
    service_in_scope,
    services,
    today,
    vendor,
    vendors,
)
from salus.vendors.rules import CLAUSES, CONTROLS, NEVER, RELATIONS, REQUIRED, WORDS, controls

__all__ = [
    "CLAUSES",
    "CONTROLS",
    "DUTIES",
    "NEVER",
    "RELATIONS",
    "REMINDERS",
    "REQUIRED",
    "SCHEMES",
    "SOON",
    "WORDS",
    "assign",
    "attest",
    "breach_clock",
    "calendar",
    "change_service",
    "change_vendor",
    "controls",
    "create_service",
    "create_vendor",
    "drop_subcontractor",
    "end_agreement",
    "findings",
    "gaps",
    "outbound",
    "record_agreement",
    "record_subcontractor",
    "reminders",
    "renew_secret",
    "service",
    "service_in_scope",
    "services",
    "show_secret",
    "signing_secrets",
    "switch_service",
    "today",
    "use_queues",
    "vendor",
    "vendors",
    "verify",
    "waiting",
]
