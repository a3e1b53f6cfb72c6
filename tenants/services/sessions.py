"""Ending sessions: one by logging out, all of a user by a new password or by switching it off."""

import uuid

from django.conf import settings
from django.db import transaction
from django.db.models import F

from tenants.models import ActivationToken, EndedSession, User
from tenants.services import session_cache
from tenants.services.administrators import require_another, require_somebody_else
from tenants.services.auth_events import AuthEvent, record
from thingsboard.kernel.errors import PlatformError
from thingsboard.kernel.time import now_ms


@transaction.atomic
def end_session(user: User, session_id: uuid.UUID, *, address: str = "") -> None:
    """Log out: no token of this session is good any more, the user's other sessions go on."""
    # A token made a moment ago by a refresh may outlive the one at hand.
    expires = now_ms() + int(settings.TB_REFRESH_TOKEN_SECONDS * 1000)
    EndedSession.objects.update_or_create(pk=session_id, defaults={"expires": expires})
    session_cache.announce(user.pk, session_id)
    record(AuthEvent.LOGOUT, user=user, address=address)


@transaction.atomic
def end_all_sessions(user: User) -> None:
    """Every token and browser session that the user has is outdated from now on."""
    User.objects.filter(pk=user.pk).update(session_generation=F("session_generation") + 1)
    user.refresh_from_db(fields=["session_generation"])
    session_cache.announce(user.pk)


@transaction.atomic
def set_enabled(user: User, enabled: bool, *, by: User | None = None) -> None:
    """Switch a user on or off. Off ends its sessions for good: they do not come back when it is switched on again.

    Raises Forbidden when `by`, who asks, would switch itself off, BadRequest for the last system administrator.
    """
    if not enabled:
        try:
            if by is not None:
                require_somebody_else(user, by, "switch off")
            require_another(user, "switched off")
        except PlatformError as error:
            record(AuthEvent.DISABLE_REFUSED, user=user, why=error.message)
            raise
    user.is_active = enabled
    user.save(update_fields=["is_active"])
    if not enabled:
        end_all_sessions(user)
    record(AuthEvent.ENABLED if enabled else AuthEvent.DISABLED, user=user)


def forget_expired() -> int:
    """Delete what no token can ask for any more; how many rows those were."""
    now = now_ms()
    sessions, _ = EndedSession.objects.filter(expires__lt=now).delete()
    links, _ = ActivationToken.objects.filter(expires__lt=now - int(settings.TB_ACTIVATION_SECONDS * 1000)).delete()
    return sessions + links
