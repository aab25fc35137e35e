"""Addresses of the segment pages."""

from __future__ import annotations

from django.urls import path

from salus.audiences.web import static, views

app_name = "audiences"
urlpatterns = [
    path("segments/", views.listing, name="list"),
    path("segments/new", views.new, name="new"),
    path("segments/new-list", static.new, name="new_static"),
    path("segments/count", views.count, name="count"),
    path("segments/<uuid:segment_id>", views.segment, name="segment"),
    path("segments/<uuid:segment_id>/rename", static.rename, name="rename_static"),
    path("segments/<uuid:segment_id>/people", static.change, name="change_members"),
]
