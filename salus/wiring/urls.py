"""Which package answers which address."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from salus.wiring.rest import api as rest

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("salus.platform.web.urls")),
    path("", include("salus.identity.web.urls")),
    path("", include("salus.contacts.web.urls")),
    path("", include("salus.intake.web.urls")),
    path("", include("salus.sealedmail.web.urls")),
    path("", include("salus.vendors.web.urls")),
    path("", include("salus.shaping.web.urls")),
    path("", include("salus.patients.web.urls")),
    path("", include("salus.delivery.web.urls")),
    path("", include("salus.domains.web.urls")),
    path("", include("salus.safeguards.web.urls")),
    path("", include("salus.retention.web.urls")),
    path("", include("salus.audiences.web.urls")),
    path("", include("salus.campaigns.web.urls")),
    path("", include("salus.journeys.web.urls")),
    path("", include("salus.inbox.web.urls")),
    path("", include("salus.reports.web.urls")),
    path("", include("salus.recovery.web.urls")),
    path("", include("salus.privacy.web.urls")),
    path("", include("salus.duplicates.web.urls")),
    path("", include("salus.wiring.setup.web.urls")),
    path("templates/", include("salus.content.web.urls")),
    path("api/v1/", rest.urls),
    path("scim/v2/", include("salus.identity.web.scim")),
    path("p/", include("salus.portal.web.urls")),
]

handler400 = "salus.platform.web.errors.bad_request"
handler403 = "salus.platform.web.errors.absent"
handler404 = "salus.platform.web.errors.absent"
handler500 = "salus.platform.web.errors.broken"
