"""The door of vendors. Call it inside the organization's context; whoever calls asked for the permission."""

from __future__ import annotations

from salus.vendors.operations import (
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
from salus.vendors.queries import service, service_in_scope, services, vendor, vendors
from salus.vendors.rules import CLAUSES, NEVER, REQUIRED, WORDS

__all__ = [
    "CLAUSES",
    "NEVER",
    "REQUIRED",
    "WORDS",
    "change_service",
    "change_vendor",
    "create_service",
    "create_vendor",
    "end_agreement",
    "record_agreement",
    "renew_secret",
    "service",
    "service_in_scope",
    "services",
    "show_secret",
    "signing_secrets",
    "switch_service",
    "use_queues",
    "vendor",
    "vendors",
    "waiting",
]
