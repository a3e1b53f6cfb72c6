"""What ends or begins a user's sessions: sessions that were logged out, and links that let a new user choose a password."""

from django.db import models

from tenants.models.user import User
from thingsboard.kernel.models import Entity


class EndedSession(models.Model):
    """A session that was logged out before its tokens expire; forgotten once the last of them has (services.sessions)."""

    id = models.UUIDField(primary_key=True, editable=False, help_text="The tokens' claim sessionId.")
    expires = models.BigIntegerField(help_text="No token of the session is good after this time (ms).")

    class Meta:
        indexes = [models.Index(fields=["expires"], name="ended_session_expires")]

    def __str__(self) -> str:
        return str(self.pk)


class ActivationToken(Entity):
    """The one link by which a user without a password may choose one.

    Kept like a device's secret (decision 0002): encrypted, because administrators may read it again, and found by HMAC.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="activation")
    lookup = models.BinaryField(unique=True, max_length=32)
    secret = models.BinaryField()
    expires = models.BigIntegerField(help_text="Milliseconds since 1970.")

    def __str__(self) -> str:
        return f"activation of {self.user_id}"
