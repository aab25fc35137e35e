"""Registers campaigns with Django."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """Campaigns."""

    name = "salus.campaigns"
    label = "campaigns"
