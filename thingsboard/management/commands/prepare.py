"""`manage.py prepare`: what has to be done once before the processes of a version start."""

from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Migrates, and seeds the demo into an empty database (never in production). `up` and compose both run it."""

    help = "Migrate the database and, unless DEBUG=0, seed the demo into an empty one."

    def handle(self, *args: Any, **options: Any) -> None:
        """Idempotent."""
        call_command("migrate", interactive=False, verbosity=0)
        if settings.DEBUG and "seed_demo" in get_commands():
            call_command("seed_demo")
