"""The project itself is an app for its management commands (up, loadtest), templates and system checks."""

from django.apps import AppConfig


class ThingsboardConfig(AppConfig):
    """Management commands, base templates and system checks."""

    name = "thingsboard"
