"""Addresses of safeguards."""

from django.urls import path

from salus.safeguards.web import views

app_name = "safeguards"

urlpatterns = [
    path("settings/protection/", views.policy, name="policy"),
    path("contacts/<uuid:contact_id>/protection", views.wish, name="wish"),
]
