"""Registers files with Django."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    """Attached files."""

    name = "salus.files"
    label = "files"
