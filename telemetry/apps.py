"""Points, latest values and attributes, keyed by entity id."""

from django.apps import AppConfig

from thingsboard.kernel.entities import before_delete


class TelemetryConfig(AppConfig):
    """Points, latest values and attributes, keyed by entity id."""

    name = "telemetry"

    def ready(self) -> None:
        """Hear of entities that are deleted, whose measurements are erased, and of rights that live subscriptions lose."""
        from telemetry.erasure import take_leave
        from telemetry.live.rights import notice

        before_delete(take_leave)
        notice()
