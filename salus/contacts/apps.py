"""Registers the package with Django."""

from __future__ import annotations

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    """The application `contacts`."""

    name = "salus.contacts"
    label = "contacts"
