#!/usr/bin/env python
"""The command line of the platform: `manage.py up` runs it, `manage.py help` lists the rest."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thingsboard.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # a wrong setting: its line says what to change, a traceback would hide it
        sys.exit(f"manage.py: {error}")
