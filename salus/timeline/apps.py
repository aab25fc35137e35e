"""Registers the timeline package with Django."""

from django.apps import AppConfig


class TimelineConfig(AppConfig):
    """The append-only stream of events."""

    name = "salus.timeline"
    label = "timeline"
