"""What happens to accounts, said in one place: to the log, never with a password, token or link."""

import enum
import logging

from tenants.models import User

log = logging.getLogger(__name__)

LONGEST_NAME = 100  # characters that are shown of what somebody typed as a user name


class AuthEvent(enum.StrEnum):
    """The events, by the words of the log."""

    LOGIN = "logged in"
    LOGIN_REFUSED = "login refused"
    LOCKED = "locked"
    LOGOUT = "logged out"
    PASSWORD_CHANGED = "password changed"  # noqa: S105 - a sentence
    PASSWORD_REFUSED = "password change refused"  # noqa: S105
    ACTIVATED = "activated"
    LINK_SHOWN = "activation link shown"
    ENABLED = "switched on"
    DISABLED = "switched off"
    SET_UP = "first system administrator created"


_WARNINGS = {AuthEvent.LOGIN_REFUSED, AuthEvent.LOCKED, AuthEvent.PASSWORD_REFUSED}


def record(event: AuthEvent, *, user: User | None = None, email: str = "", address: str = "", why: str = "") -> None:
    """Log one event. `user` is whose account it is about, or `email` what somebody claimed to be.

    The one place that knows of all of them: whatever else shall hear of them is called from here.
    """
    log.log(
        logging.WARNING if event in _WARNINGS else logging.INFO,
        "Account %r: %s%s%s.",
        (user.email if user is not None else email)[:LONGEST_NAME],
        event.value,
        f", from {address}" if address else "",
        f": {why}" if why else "",
    )
