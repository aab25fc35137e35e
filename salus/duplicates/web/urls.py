"""Addresses of duplicates."""

from django.urls import path

from salus.duplicates.web import views

app_name = "duplicates"

_PAIR = "duplicates/<uuid:first_id>/<uuid:second_id>"

urlpatterns = [
    path("duplicates/", views.listing, name="list"),
    path("duplicates/find", views.find, name="find"),
    path(_PAIR, views.pair, name="pair"),
    path(f"{_PAIR}/apart", views.apart, name="apart"),
    path("duplicates/merges/", views.merges, name="merges"),
    path("duplicates/merges/<uuid:merge_id>", views.merge, name="merge"),
]
