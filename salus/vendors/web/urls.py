"""Addresses of the vendor register."""

from django.urls import path

from salus.vendors.web import agreements, assuring, services, views

app_name = "vendors"

_ONE = "vendors/<uuid:vendor_id>"
_AGREEMENT = f"{_ONE}/agreements/<uuid:agreement_id>"
_SUBCONTRACTOR = f"{_ONE}/subcontractors/<uuid:subcontractor_id>"
_SERVICE = f"{_ONE}/services/<uuid:service_id>"

urlpatterns = [
    path("vendors/", views.listing, name="list"),
    path("vendors/new", views.new, name="new"),
    path("vendors/calendar", assuring.calendar, name="calendar"),
    path("vendors/who-does-what", assuring.matrix, name="matrix"),
    path(_ONE, views.one, name="show"),
    path(f"{_ONE}/edit", views.edit, name="edit"),
    path(f"{_ONE}/agreements/new", agreements.new, name="new_agreement"),
    path(f"{_AGREEMENT}/edit", agreements.edit, name="edit_agreement"),
    path(f"{_AGREEMENT}/end", agreements.end, name="end_agreement"),
    path(f"{_ONE}/who-does-what", assuring.duties, name="duties"),
    path(f"{_ONE}/verify", assuring.verify, name="verify"),
    path(f"{_ONE}/subcontractors/new", assuring.new_subcontractor, name="new_subcontractor"),
    path(_SUBCONTRACTOR, assuring.edit_subcontractor, name="subcontractor"),
    path(f"{_SUBCONTRACTOR}/drop", assuring.drop_subcontractor, name="drop_subcontractor"),
    path(f"{_ONE}/services/new", services.new, name="new_service"),
    path(_SERVICE, services.one, name="service"),
    path(f"{_SERVICE}/attest", services.attest, name="attest"),
    path(f"{_SERVICE}/switch", services.switch, name="switch_service"),
    path(f"{_SERVICE}/secret", services.secret, name="secret"),
    path(f"{_SERVICE}/secret/renew", services.renew, name="renew_secret"),
]
