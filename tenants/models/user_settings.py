"""What pages remember for a user."""

from django.db import models

from tenants.models.user import User
from thingsboard.kernel.models import Entity


class SettingsKind(models.TextChoices):
    """The kinds of settings (compat/data_model.md 12, "User settings types")."""

    GENERAL = "GENERAL"
    VISITED_DASHBOARDS = "VISITED_DASHBOARDS"
    QUICK_LINKS = "QUICK_LINKS"
    DOC_LINKS = "DOC_LINKS"
    DASHBOARDS = "DASHBOARDS"
    GETTING_STARTED = "GETTING_STARTED"
    NOTIFICATIONS = "NOTIFICATIONS"
    MOBILE = "MOBILE"


class UserSettings(Entity):
    """A user's settings of one kind: bounded JSON that means something to pages only."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32, choices=SettingsKind.choices)
    value = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="user_settings_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user_id}"
