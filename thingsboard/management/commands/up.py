"""`manage.py up`: the whole platform on one machine, with its servers, until Ctrl-C."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from thingsboard.embedded.errors import EmbeddedError
from thingsboard.supervisor.platform import run_platform
from thingsboard.supervisor.preflight import PreflightError


class Command(BaseCommand):
    """Starts PostgreSQL and Valkey (unless DATABASE_URL and REDIS_URL name others), prepares the database, and runs
    every process of the platform.
    """

    help = "Run the whole platform until Ctrl-C."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 with one line when it cannot start."""
        try:
            code = run_platform()
        except (EmbeddedError, PreflightError) as error:
            sys.exit(f"up: {error}")
        sys.exit(code)
