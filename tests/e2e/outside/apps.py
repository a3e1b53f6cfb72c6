"""Makes the node known in every process of the platform."""

from django.apps import AppConfig


class OutsideConfig(AppConfig):
    """See the module."""

    name = "tests.e2e.outside"

    def ready(self) -> None:
        from rules import registry
        from tests.rules.effects.calls import Call

        registry.all()[Call.TYPE] = Call
