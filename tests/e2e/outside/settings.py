"""The platform's own settings, and one app more."""

from thingsboard.settings import *  # noqa: F403
from thingsboard.settings import INSTALLED_APPS as THEIRS

INSTALLED_APPS = [*THEIRS, "tests.e2e.outside"]
