"""The project itself is an app for its management commands (up, loadtest), templates and system checks."""

from django.apps import AppConfig


class ThingsboardConfig(AppConfig):
    """Management commands, base templates and system checks."""

    name = "thingsboard"

    def ready(self) -> None:
        """Have the project's Celery application be the current one in every process: lower floors send tasks by name."""
        import thingsboard.celery  # noqa: F401
