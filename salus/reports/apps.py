"""Registers reports with Django."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Campaign reports, home, the log's pages."""

    name = "salus.reports"
    label = "reports"
