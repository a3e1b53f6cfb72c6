"""`manage.py seed_demo`: ThingsBoard's demo in an empty database."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from dashboards.services.demo import seed_dashboard
from devices.services.demo import is_empty, seed_demo


class Command(BaseCommand):
    """Does nothing in a database that is in use, so that it may run at every start."""

    help = "Fill an empty database with the demo's users, customers, devices and dashboard. Refused with DEBUG=0."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Seed everything or nothing, or say why not."""
        if not settings.DEBUG:
            raise CommandError("The demo has passwords that everybody knows: it is not seeded in production (DEBUG=0).")
        if not is_empty():
            self.stdout.write("The database is in use: nothing was seeded.")
            return
        seed_demo()
        seed_dashboard()
        self.stdout.write("The demo is seeded: log in as tenant@thingsboard.org with the password 'tenant'.")
