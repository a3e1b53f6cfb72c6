"""The settings, by subject: env.py reads the environment, each other file is one subject."""

from .admin import *  # noqa: F403
from .django import *  # noqa: F403
from .logging import *  # noqa: F403
from .platform import *  # noqa: F403
from .services import *  # noqa: F403
