"""Alarms (built with the rule engine)."""

from django.apps import AppConfig


class AlarmsConfig(AppConfig):
    """Alarms (built with the rule engine)."""

    name = "alarms"
