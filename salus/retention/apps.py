"""Registers retention with Django."""

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    """Legal holds, and how long what is kept."""

    name = "salus.retention"
    label = "retention"
