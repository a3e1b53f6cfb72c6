"""What happens to accounts, said in one place: to the log file and the audit log, never with a password, token or link."""

import enum
import logging

from tenants.models import ActionType, User
from tenants.services import audit
from tenants.services.attempts import counters

log = logging.getLogger(__name__)

LONGEST_NAME = 100  # characters that are shown of what somebody typed as a user name
# Failures of one account that get a row of the audit log within FAILURES_SECONDS; the log file has all of them.
MOST_FAILURES = 100
FAILURES_SECONDS = 3600.0


class AuthEvent(enum.StrEnum):
    """The events, by the words of the log."""

    LOGIN = "logged in"
    LOGIN_REFUSED = "login refused"
    KEPT_OUT = "login refused while locked"
    LOCKED = "locked"
    LOGOUT = "logged out"
    PASSWORD_CHANGED = "password changed"  # noqa: S105 - a sentence
    PASSWORD_REFUSED = "password change refused"  # noqa: S105
    ACTIVATED = "activated"
    LINK_SHOWN = "activation link shown"
    TOKEN_ISSUED = "opened by an administrator"  # noqa: S105
    ENABLED = "switched on"
    DISABLED = "switched off"
    DISABLE_REFUSED = "switching off refused"
    SET_UP = "first system administrator created"


_FAILURES = {AuthEvent.LOGIN_REFUSED, AuthEvent.PASSWORD_REFUSED, AuthEvent.DISABLE_REFUSED}
_WARNINGS = {*_FAILURES, AuthEvent.KEPT_OUT, AuthEvent.LOCKED}

# What each is in the audit log. KEPT_OUT is not there, or whoever goes on trying would fill it: LOCKOUT says it once.
# SET_UP is not, because making the user is.
_ACTIONS = {
    AuthEvent.LOGIN: ActionType.LOGIN,
    AuthEvent.LOGIN_REFUSED: ActionType.LOGIN,
    AuthEvent.TOKEN_ISSUED: ActionType.LOGIN,
    AuthEvent.LOCKED: ActionType.LOCKOUT,
    AuthEvent.LOGOUT: ActionType.LOGOUT,
    AuthEvent.PASSWORD_CHANGED: ActionType.CREDENTIALS_UPDATED,
    AuthEvent.PASSWORD_REFUSED: ActionType.CREDENTIALS_UPDATED,
    AuthEvent.LINK_SHOWN: ActionType.CREDENTIALS_READ,
    AuthEvent.ACTIVATED: ActionType.ACTIVATED,
    AuthEvent.ENABLED: ActionType.ACTIVATED,
    AuthEvent.DISABLED: ActionType.SUSPENDED,
    AuthEvent.DISABLE_REFUSED: ActionType.SUSPENDED,
}
# Done by whoever asks; all others are told of the account itself, as ThingsBoard does.
_BY_OTHERS = {
    AuthEvent.TOKEN_ISSUED,
    AuthEvent.LINK_SHOWN,
    AuthEvent.ENABLED,
    AuthEvent.DISABLED,
    AuthEvent.DISABLE_REFUSED,
}


def record(event: AuthEvent, *, user: User | None = None, email: str = "", address: str = "", why: str = "") -> None:
    """Log one event. `user` is whose account it is about, or `email` what somebody claimed to be.

    The audit log is told of accounts that exist. What somebody types who has none is in the log file only.
    """
    log.log(
        logging.WARNING if event in _WARNINGS else logging.INFO,
        "Account %r: %s%s%s.",
        (user.email if user is not None else email)[:LONGEST_NAME],
        event.value,
        f", from {address}" if address else "",
        f": {why}" if why else "",
    )
    action = _ACTIONS.get(event)
    if action is None:
        return
    account = user if user is not None else User.objects.filter(email=email[: audit.LARGEST_NAME]).first()
    if account is not None and (event not in _FAILURES or _counts(account)):
        audit.account_event(
            action,
            account,
            by=None if event in _BY_OTHERS else account,
            address=address,
            failure=why if event in _FAILURES else "",
            note="" if event in _FAILURES else why or (event.value if event in _BY_OTHERS else ""),
        )


def _counts(account: User) -> bool:
    return counters().add(f"audited:{account.pk}", FAILURES_SECONDS) <= MOST_FAILURES
