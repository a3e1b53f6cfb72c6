#!/usr/bin/env python
"""The command line of the platform: `manage.py up` runs it, `manage.py help` lists the rest."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thingsboard.settings")
    execute_from_command_line(sys.argv)
