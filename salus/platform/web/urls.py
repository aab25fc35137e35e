"""Addresses of the shell itself: static files, the page of all parts, and what watchers ask."""

from django.urls import path

from salus.platform.web import statics, views, watching

app_name = "web"

urlpatterns = [
    path("static/<path:name>", statics.serve, name="static"),
    path("-/parts", views.parts, name="parts"),
    path("healthz", watching.healthz, name="healthz"),
    path("metrics", watching.figures, name="metrics"),
]
