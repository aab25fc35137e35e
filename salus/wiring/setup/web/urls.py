"""Addresses of the first run."""

from django.urls import path

from salus.wiring.setup.web import views

app_name = "first_run"

urlpatterns = [
    path("first-run/", views.check, name="check"),
    path("first-run/part/<slug:key>", views.section, name="section"),
    path("first-run/<str:token>", views.enter, name="enter"),
]
