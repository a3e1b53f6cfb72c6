"""`manage.py runmqtt`: the MQTT process."""

from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandError, CommandParser

from thingsboard.transports.mqtt.process import CannotStart, serve
from thingsboard.transports.uplink import Ingest


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C."""

    help = "Serve devices over MQTT on TB_BIND:TB_MQTT_PORT."

    def add_arguments(self, parser: CommandParser) -> None:
        """Its place among the processes that share the port."""
        parser.add_argument(
            "--number", type=int, default=0, help="0 for the first process; it is added to TB_MQTT_METRICS_PORT."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve; a start that fails is one line and exit status 1."""
        try:
            uvloop.run(serve(Ingest, options["number"]))
        except CannotStart as error:
            raise CommandError(str(error)) from None
