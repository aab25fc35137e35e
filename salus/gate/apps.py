"""Tells Django that the gate is here."""

from __future__ import annotations

from django.apps import AppConfig


class GateConfig(AppConfig):
    """The gate has no tables: whoever sends stores the decision with the message."""

    name = "salus.gate"
    label = "gate"
