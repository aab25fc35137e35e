"""Registers the inbox with Django."""

from django.apps import AppConfig


class InboxConfig(AppConfig):
    """The inbox."""

    name = "salus.inbox"
    label = "inbox"
