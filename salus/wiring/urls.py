"""Which package answers which address."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("salus.platform.web.urls")),
    path("", include("salus.identity.web.urls")),
    path("", include("salus.patients.web.urls")),
    path("p/", include("salus.portal.web.urls")),
]

handler400 = "salus.platform.web.errors.bad_request"
handler403 = "salus.platform.web.errors.absent"
handler404 = "salus.platform.web.errors.absent"
handler500 = "salus.platform.web.errors.broken"
