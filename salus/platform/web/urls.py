"""Addresses of the shell itself: static files, and the page of all parts."""

from django.urls import path

from salus.platform.web import statics, views

app_name = "web"

urlpatterns = [
    path("static/<path:name>", statics.serve, name="static"),
    path("-/parts", views.parts, name="parts"),
]
