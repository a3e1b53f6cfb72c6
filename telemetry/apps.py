"""Points, latest values and attributes, keyed by entity id."""

from django.apps import AppConfig

from thingsboard.kernel.entities import before_delete


class TelemetryConfig(AppConfig):
    """Points, latest values and attributes, keyed by entity id."""

    name = "telemetry"

    def ready(self) -> None:
        """Hear of entities that are deleted: what was measured of them is erased."""
        from telemetry.erasure import take_leave

        before_delete(take_leave)
