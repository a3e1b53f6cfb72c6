"""`manage.py runweb`: the web process."""

from dataclasses import replace
from typing import Any

from channels.routing import get_default_application
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from thingsboard.web.limits import Limits
from thingsboard.web.server import WebServer, affordable


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C."""

    help = "Serve browsers, the REST API and devices over HTTP on TB_BIND:TB_HTTP_PORT."

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve; a start that fails is one line and exit status 1."""
        limits = Limits.from_settings()
        limits = replace(limits, max_connections=affordable(limits.max_connections))
        server = WebServer(get_default_application(), host=settings.TB_BIND, port=settings.TB_HTTP_PORT, limits=limits)
        server.run()
        if server.failure:
            raise CommandError(
                f"Cannot listen on {settings.TB_BIND}:{settings.TB_HTTP_PORT} ({server.failure}). "
                "Set TB_HTTP_PORT or TB_BIND, or end the process that uses the port."
            )
