"""Registers the permissions package with Django."""

from django.apps import AppConfig


class PermissionsConfig(AppConfig):
    """The append-only ledger of permissions."""

    name = "salus.permissions"
    label = "permissions"
