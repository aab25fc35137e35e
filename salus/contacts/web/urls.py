"""Addresses of contacts."""

from django.urls import path

from salus.contacts.web import views

app_name = "contacts"

urlpatterns = [
    path("contacts/", views.listing, name="list"),
    path("contacts/search", views.search, name="search"),
    path("contacts/<uuid:contact_id>", views.show, name="show"),
    path("contacts/<uuid:contact_id>/reveal", views.reveal, name="reveal"),
    path("contacts/<uuid:contact_id>/mask", views.mask, name="mask"),
]
