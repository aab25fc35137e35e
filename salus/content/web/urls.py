"""Addresses of the template pages."""

from django.urls import path

from salus.content.web import editing, previewing, reviewing, views

app_name = "content"

urlpatterns = [
    path("", views.listing, name="list"),
    path("new/", views.new, name="new"),
    path("domains/", views.domains, name="domains"),
    path("<uuid:template_id>/", views.template, name="template"),
    path("<uuid:template_id>/edit/<slug:language>/", editing.edit, name="edit"),
    path("<uuid:template_id>/edit/<slug:language>/panel/", editing.panel, name="panel"),
    path("<uuid:template_id>/edit/<slug:language>/preview/", previewing.draft, name="draft_preview"),
    path("version/<uuid:version_id>/", views.version, name="version"),
    path("version/<uuid:version_id>/preview/<slug:part>/", previewing.sample, name="preview"),
    path("version/<uuid:version_id>/preview-as/", previewing.person, name="preview_as"),
    path("version/<uuid:version_id>/classify/", reviewing.classify, name="classify"),
    path("version/<uuid:version_id>/confirm/", reviewing.confirm, name="confirm"),
    path("version/<uuid:version_id>/decline/", reviewing.decline, name="decline"),
]
