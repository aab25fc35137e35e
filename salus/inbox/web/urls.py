"""Addresses of the inbox."""

from django.urls import path

from salus.inbox.web import views

app_name = "inbox"

_ONE = "tasks/<uuid:task_id>"

urlpatterns = [
    path("tasks/", views.listing, name="list"),
    path(_ONE, views.one, name="show"),
    path(f"{_ONE}/take", views.take, name="take"),
    path(f"{_ONE}/give-back", views.give_back, name="give_back"),
    path(f"{_ONE}/end", views.end, name="end"),
]
