"""Addresses of recovery."""

from django.urls import path

from salus.recovery.web import views

app_name = "recovery"

urlpatterns = [path("backups/", views.listing, name="list")]
