"""Addresses of shaping: destinations, and lifting what is in force at one."""

from django.urls import path

from salus.shaping.web import destinations

app_name = "shaping"

urlpatterns = [
    path("settings/destinations/", destinations.listed, name="destinations"),
    path("settings/destinations/<uuid:measure_id>/", destinations.lift, name="lift"),
]
