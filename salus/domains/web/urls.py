"""Addresses of domains."""

from django.urls import path

from salus.domains.web import views

app_name = "domains"

urlpatterns = [path("settings/sending-domain/", views.domain, name="domain")]
