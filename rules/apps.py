"""Rule chains and the ingest plan."""

from django.apps import AppConfig


class RulesConfig(AppConfig):
    """Rule chains and the ingest plan."""

    name = "rules"
