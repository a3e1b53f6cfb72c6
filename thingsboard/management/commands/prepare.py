"""`manage.py prepare`: what has to be done once before the processes of a version start."""

from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError

from tenants.services.setup import new_setup_token
from tenants.services.users import demo_passwords_in_use
from thingsboard.embedded.addresses import reachable


class Command(BaseCommand):
    """Migrates; seeds the demo into an empty database or, in production, refuses one and prints the set-up link while
    there is no system administrator. `up` and compose both run it.
    """

    help = "Migrate the database. Seeds the demo into an empty one; with DEBUG=0 prints a set-up link instead."

    def handle(self, *args: Any, **options: Any) -> None:
        """Idempotent. Raises CommandError when production would run with a password that everybody knows."""
        call_command("migrate", interactive=False, verbosity=0)
        if not settings.DEBUG:
            refuse_demo_passwords()
            if token := new_setup_token():
                self.stdout.write(
                    f"There is no system administrator yet. Create one within 24 hours at\n  {link(token)}"
                )
                self.stdout.write("The link works once; the next start prints a new one.")
        elif "seed_demo" in get_commands():
            call_command("seed_demo")


def refuse_demo_passwords() -> None:
    """Production must not let in whoever has read the manual."""
    if users := demo_passwords_in_use():
        raise CommandError(
            f"DEBUG=0, but {', '.join(users)} still has the published demo password. "
            "Change it or deactivate the user, with DEBUG=1 on a machine that nobody else reaches."
        )


def link(token: str) -> str:
    """Where the first system administrator is created; on this machine unless TB_BASE_URL says how we are reached."""
    host = reachable(settings.TB_BIND)
    local = f"http://{f'[{host}]' if ':' in host else host}:{settings.TB_HTTP_PORT}"
    return f"{settings.TB_BASE_URL or local}/setup/{token}"
