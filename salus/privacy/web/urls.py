"""Addresses of the privacy office."""

from django.urls import path

from salus.privacy.web import posture

app_name = "privacy"

urlpatterns = [
    path("posture/", posture.posture, name="posture"),
]
