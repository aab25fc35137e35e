"""Registers the audit log with Django."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The log's tables."""

    name = "salus.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
