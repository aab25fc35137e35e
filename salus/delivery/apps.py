"""Registers delivery with Django."""

from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    """Delivery."""

    name = "salus.delivery"
    label = "delivery"
