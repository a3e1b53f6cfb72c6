"""Settings of the whole installation that live in the database (compat/data_model.md 3, AdminSettings)."""

from django.db import models

from thingsboard.kernel.models import Entity


class SystemSetting(Entity):
    """One subject's settings as JSON: `jwt` holds the signing key."""

    key = models.CharField(max_length=255, unique=True)
    value = models.JSONField()

    def __str__(self) -> str:
        return self.key
