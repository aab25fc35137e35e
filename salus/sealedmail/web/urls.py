"""Addresses of mail keys."""

from django.urls import path

from salus.sealedmail.web import views

app_name = "sealedmail"

_CONTACT = "contacts/<uuid:contact_id>/mail-keys"

urlpatterns = [
    path("mail-keys/", views.overview, name="overview"),
    path("mail-keys/choices", views.choose, name="choose"),
    path("mail-keys/own/certificate", views.certificate, name="certificate"),
    path("mail-keys/own/<str:kind>/make", views.make, name="make"),
    path("mail-keys/own/<str:kind>/drop", views.drop, name="drop"),
    path("mail-keys/authorities", views.trust, name="trust"),
    path("mail-keys/authorities/<uuid:anchor_id>/drop", views.distrust, name="distrust"),
    path("mail-keys/authorities/list", views.revocations, name="revocations"),
    path("mail-keys/domains/new", views.new_for_domain, name="new_for_domain"),
    path("mail-keys/<uuid:key_id>", views.key, name="key"),
    path(f"{_CONTACT}/new", views.new_for_contact, name="new_for_contact"),
    path(f"{_CONTACT}/look-up", views.look_up, name="look_up"),
]
