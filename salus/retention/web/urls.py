"""Addresses of retention."""

from django.urls import path

from salus.retention.web import holds, rules

app_name = "retention"

urlpatterns = [
    path("privacy/retention/", rules.show, name="rules"),
    path("privacy/holds/", holds.listing, name="holds"),
    path("privacy/holds/new", holds.new, name="new_hold"),
    path("privacy/holds/<uuid:hold_id>", holds.show, name="hold"),
    path("privacy/people/<uuid:contact_id>/holds/new", holds.new, name="new_hold_on"),
]
