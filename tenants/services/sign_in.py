"""Proving with a password who one is: the one way in, whoever asks (REST, browser, admin)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import check_password

from tenants.models import User
from tenants.services.auth_events import AuthEvent, record
from tenants.services.lockout import Attempt
from tenants.services.users import log_in
from thingsboard.kernel.errors import BadRequest, TooMany, Unauthenticated

LONGEST_EMAIL = 255
LONGEST_PASSWORD = 1024  # characters: hashing takes time by the length

# bcrypt is a quarter of a second of CPU on purpose. More at once would only starve everything else in the process; and
# as locks are looked at within a place, no flood of simultaneous tries gets past one.
PLACES = 4
PATIENCE = 10.0  # seconds that a login waits for a place

_places = threading.BoundedSemaphore(PLACES)


def sign_in(email: str, password: str, address: str) -> User:
    """The user whose e-mail and password these are. Raises Unauthenticated, or TooMany for the address.

    `address` is where the try comes from ("" when that is not known); the failures of both are counted.
    """
    if len(email) > LONGEST_EMAIL or len(password) > LONGEST_PASSWORD or "\0" in email:
        raise Unauthenticated("Invalid username or password")
    attempt = Attempt(email, address)
    attempt.require_open()
    with _place():
        attempt.require_open()
        try:
            user = log_in(email, password)
        except Unauthenticated as error:
            # A switched-off account is told so, after its right password only: that is no guess.
            if error.message == "Invalid username or password":
                attempt.failed()
            record(AuthEvent.LOGIN_REFUSED, email=email, address=address, why=error.message)
            raise
    attempt.succeeded()
    record(AuthEvent.LOGIN, user=user, address=address)
    return user


def require_own_password(user: User, password: str, address: str) -> None:
    """Raise BadRequest when that is not the user's password.

    Counted as a failed login: a stolen token must not be a way to try passwords.
    """
    attempt = Attempt(user.email, address)
    with _place():
        attempt.require_open()
        if len(password) <= LONGEST_PASSWORD and check_password(password, user.password):
            return
        attempt.failed()
    record(AuthEvent.PASSWORD_REFUSED, user=user, address=address, why="the current password does not match")
    raise BadRequest("Current password doesn't match!")


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(timeout=PATIENCE):
        raise TooMany("Too many logins at once; try again in a moment.")
    try:
        yield
    finally:
        _places.release()
