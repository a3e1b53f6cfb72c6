"""Devices, their profiles and credentials."""

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """Devices, their profiles and credentials."""

    name = "devices"
