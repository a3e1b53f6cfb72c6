"""The platform's errors, with ThingsBoard's codes. How they answer is in error_response.py."""

import enum
from typing import Any


class ErrorCode(enum.IntEnum):
    """ThingsBoard's error codes."""

    GENERAL = 2
    AUTHENTICATION = 10
    JWT_TOKEN_EXPIRED = 11
    CREDENTIALS_EXPIRED = 15
    PERMISSION_DENIED = 20
    INVALID_ARGUMENTS = 30
    BAD_REQUEST_PARAMS = 31
    ITEM_NOT_FOUND = 32
    TOO_MANY_REQUESTS = 33
    TOO_MANY_UPDATES = 34
    VERSION_CONFLICT = 35
    SUBSCRIPTION_VIOLATION = 40
    ENTITIES_LIMIT_EXCEEDED = 41
    PASSWORD_VIOLATION = 45
    DATABASE = 46


class PlatformError(Exception):
    """An error whose message is meant for the caller. Subclasses fix status and code."""

    status = 500
    code = ErrorCode.GENERAL

    def __init__(self, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extra = extra


class BadRequest(PlatformError):
    """What was sent cannot be accepted; the message says what was wrong and what was expected."""

    status = 400
    code = ErrorCode.BAD_REQUEST_PARAMS


class Unauthenticated(PlatformError):
    """Nobody is logged in, or the credentials are wrong."""

    status = 401
    code = ErrorCode.AUTHENTICATION


class TokenExpired(Unauthenticated):
    """The JWT was good once; clients refresh on this code."""

    code = ErrorCode.JWT_TOKEN_EXPIRED


class Forbidden(PlatformError):
    """The caller's authority does not allow this at all (a foreign object is NotFound instead)."""

    status = 403
    code = ErrorCode.PERMISSION_DENIED

    def __init__(self, message: str = "You don't have permission to perform this operation!", **extra: Any) -> None:
        super().__init__(message, **extra)


class NotFound(PlatformError):
    """It does not exist, or not for the caller."""

    status = 404
    code = ErrorCode.ITEM_NOT_FOUND


class VersionConflict(PlatformError):
    """Somebody saved a newer version meanwhile."""

    status = 409
    code = ErrorCode.VERSION_CONFLICT


class PayloadTooLarge(PlatformError):
    """The body is larger than is read."""

    status = 413
    code = ErrorCode.BAD_REQUEST_PARAMS


class TooMany(PlatformError):
    """A rate or size limit of the tenant is reached."""

    status = 429
    code = ErrorCode.TOO_MANY_REQUESTS


class LimitExceeded(PlatformError):
    """The tenant profile allows no more entities of this kind."""

    status = 403
    code = ErrorCode.ENTITIES_LIMIT_EXCEEDED


class NotAvailable(PlatformError):
    """The platform cannot do this for now; the same request may succeed later."""

    status = 503
