"""Transports are a Django app for their management commands."""

from django.apps import AppConfig


class TransportsConfig(AppConfig):
    """Holds runmqtt and, later, runcoap."""

    name = "thingsboard.transports"
    label = "transports"
