"""Addresses of the inbox."""

from django.urls import path

from salus.inbox.web import letters, views

app_name = "inbox"

_ONE = "tasks/<uuid:task_id>"

urlpatterns = [
    path("tasks/", views.listing, name="list"),
    path(_ONE, views.one, name="show"),
    path(f"{_ONE}/take", views.take, name="take"),
    path(f"{_ONE}/give-back", views.give_back, name="give_back"),
    path(f"{_ONE}/end", views.end, name="end"),
    path("conversations/", letters.listing, name="conversations"),
    path("conversations/<uuid:conversation_id>/", letters.one, name="conversation"),
    path("conversations/<uuid:conversation_id>/answer", letters.answer, name="answer"),
    path("conversations/<uuid:conversation_id>/settle", letters.settle, name="settle"),
    path("conversations/<uuid:conversation_id>/files/<uuid:file_id>", letters.file, name="file"),
    path("letters/new/<uuid:contact_id>/", letters.new, name="letter"),
]
