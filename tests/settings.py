"""The settings under test: the platform's own, with what only a test run wants."""

from thingsboard.settings import *  # noqa: F403

# bcrypt is slow on purpose, and tests make hundreds of users.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
