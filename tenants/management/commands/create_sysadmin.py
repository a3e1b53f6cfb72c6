"""`manage.py create_sysadmin`: a system administrator, without a browser."""

import getpass
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.services.setup import create_sysadmin, read_password
from thingsboard.kernel.errors import BadRequest


class Command(BaseCommand):
    """The password is never an argument: those stand in the list of processes and in the shell's history."""

    help = "Create a system administrator. The password is asked for, or read from standard input or the environment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The address, and where the password comes from."""
        parser.add_argument("email", help="what the administrator logs in with")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from the first line of standard input (else: TB_SYSADMIN_PASSWORD, else ask)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 with one line when the address or password will not do."""
        try:
            user = create_sysadmin(options["email"].strip(), self._password(options["password_stdin"]))
        except BadRequest as error:
            raise CommandError(error.message) from None
        self.stdout.write(f"{user.email} is a system administrator now.")

    def _password(self, from_stdin: bool) -> str:
        if from_stdin:
            return read_password(sys.stdin.readline(4096))
        if given := os.environ.get("TB_SYSADMIN_PASSWORD"):
            return given
        if not sys.stdin.isatty():
            raise CommandError("No terminal to ask for the password: use --password-stdin or TB_SYSADMIN_PASSWORD.")
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise CommandError("The two passwords differ.")
        return read_password(password)
