"""`manage.py demo_devices`: two devices of the demo that move by themselves."""

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from thingsboard.demo.devices import run_all


class Command(BaseCommand):
    """Publishes as the Raspberry Pi and the DHT11 of the demo over real MQTT until it is stopped."""

    help = "Run the demo devices that move by themselves."

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs for ever; reconnects by itself."""
        asyncio.run(run_all(settings.TB_MQTT_HOST, settings.TB_MQTT_PORT))
