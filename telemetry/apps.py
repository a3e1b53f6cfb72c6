"""Points, latest values and attributes, keyed by entity id."""

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    """Points, latest values and attributes, keyed by entity id."""

    name = "telemetry"
