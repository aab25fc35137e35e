"""Addresses of the privacy office."""

from django.urls import path

from salus.privacy.web import disclosures, posture, requests

app_name = "privacy"

_ONE = "privacy/requests/<uuid:request_id>"
_PERSON = "privacy/people/<uuid:contact_id>"

urlpatterns = [
    path("posture/", posture.posture, name="posture"),
    path("privacy/requests/", requests.listing, name="requests"),
    path(_ONE, requests.show, name="request"),
    path(f"{_ONE}/approve", requests.approve, name="approve"),
    path(f"{_ONE}/extend", requests.extend, name="extend"),
    path(f"{_ONE}/refuse", requests.refuse, name="refuse"),
    path(f"{_ONE}/carry-out", requests.carry_out, name="carry_out"),
    path(f"{_ONE}/copy", requests.copy, name="copy"),
    path(f"{_PERSON}/requests/new", requests.new, name="new_request"),
    path(f"{_PERSON}/accounting", disclosures.accounting, name="accounting"),
    path(f"{_PERSON}/accounting/<uuid:disclosure_id>/suspend", disclosures.suspend, name="suspend"),
    path(f"{_PERSON}/accounting/file", disclosures.download, name="accounting_file"),
]
