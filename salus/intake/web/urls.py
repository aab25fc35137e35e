"""Addresses of imports."""

from django.urls import path

from salus.intake.web import views

app_name = "intake"

_ONE = "imports/<uuid:import_id>"

urlpatterns = [
    path("imports/", views.listing, name="list"),
    path("imports/new", views.new, name="new"),
    path("imports/upload", views.upload, name="upload"),
    path(_ONE, views.show, name="show"),
    path(f"{_ONE}/now", views.now, name="now"),
    path(f"{_ONE}/describe", views.describe, name="describe"),
    path(f"{_ONE}/check", views.check, name="check"),
    path(f"{_ONE}/run", views.run, name="run"),
    path(f"{_ONE}/cancel", views.cancel, name="cancel"),
    path(f"{_ONE}/rejects", views.rejects, name="rejects"),
]
