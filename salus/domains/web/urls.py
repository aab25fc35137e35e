"""Addresses of domains."""

from django.urls import path

from salus.domains.web import reports, views

app_name = "domains"

urlpatterns = [
    path("settings/sending-domain/", views.domain, name="domain"),
    path("settings/sending-domain/reports/", reports.reports, name="reports"),
    path("settings/sending-domain/reports/take/", reports.take, name="take_report"),
]
