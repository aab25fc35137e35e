"""The addresses for programs: one API of all packages' routers, at /api/v1/, with its OpenAPI document."""

from __future__ import annotations

from ninja import NinjaAPI

from salus import __version__
from salus.campaigns.web.rest import router as campaigns
from salus.contacts.web.rest import router as contacts
from salus.delivery.web.rest import router as delivery
from salus.gate.web.rest import router as gate
from salus.identity.api import tell_of_keys, use_problems
from salus.inbox.web.letters_rest import router as letters
from salus.inbox.web.rest import router as inbox
from salus.intake.web.rest import router as intake
from salus.journeys.web.rest import router as journeys
from salus.patients.web.rest import router as patients
from salus.reports.web.rest import router as reports
from salus.sealedmail.web.rest import router as sealedmail
from salus.timeline.web.rest import router as timeline
from salus.vendors.web.rest import router as vendors

api = NinjaAPI(
    title="Salus",
    version=__version__,
    description="Errors are problems (RFC 9457). Every call is recorded in the audit log under the key.",
    urls_namespace="rest",
    openapi_url="/openapi.json",
    docs_url=None,  # pages of others' scripts do not fit the content security policy
)
use_problems(api)
for router in (
    contacts,
    intake,
    patients,
    campaigns,
    journeys,
    delivery,
    reports,
    gate,
    timeline,
    inbox,
    letters,
    sealedmail,
    vendors,
):
    api.add_router("", tell_of_keys(router))
