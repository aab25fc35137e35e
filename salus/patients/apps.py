"""Registers the patients package with Django."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    """Codes, tries and sessions of patients."""

    name = "salus.patients"
    label = "patients"
