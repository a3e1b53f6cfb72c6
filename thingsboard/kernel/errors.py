"""The platform's errors and how they answer: ThingsBoard's body on its own paths (compat/data_model.md 1.1),
`{"detail", "status_code"}` under /api/v1 (design/mission.md, "API habits").
"""

import enum
import logging
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from thingsboard.kernel.time import now_ms

log = logging.getLogger(__name__)


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


class TooMany(PlatformError):
    """A rate or size limit of the tenant is reached."""

    status = 429
    code = ErrorCode.TOO_MANY_REQUESTS


class LimitExceeded(PlatformError):
    """The tenant profile allows no more entities of this kind."""

    status = 403
    code = ErrorCode.ENTITIES_LIMIT_EXCEEDED


_DRF_CODES = {
    400: ErrorCode.BAD_REQUEST_PARAMS,
    401: ErrorCode.AUTHENTICATION,
    403: ErrorCode.PERMISSION_DENIED,
    404: ErrorCode.ITEM_NOT_FOUND,
    429: ErrorCode.TOO_MANY_REQUESTS,
}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's single exception handler for both API families. Unexpected errors are logged and answered without
    details.
    """
    set_rollback()
    error = _as_platform_error(error, context)
    path = context["request"].path
    if path.startswith("/api/v1/"):
        body: dict[str, Any] = {"detail": error.message, "status_code": error.status, **error.extra}
    else:
        body = {
            "status": error.status,
            "message": error.message,
            "errorCode": int(error.code),
            "timestamp": now_ms(),
            **error.extra,
        }
    return Response(body, status=error.status)


def _as_platform_error(error: Exception, context: dict[str, Any]) -> PlatformError:
    """Any exception as a PlatformError whose message may be shown."""
    if isinstance(error, PlatformError):
        return error
    if isinstance(error, Http404):
        return NotFound("Requested item wasn't found!")
    if isinstance(error, DjangoPermissionDenied):
        return Forbidden()
    if isinstance(error, DjangoValidationError):
        return BadRequest(" ".join(error.messages))
    if isinstance(error, drf.APIException):
        result = Forbidden() if isinstance(error, drf.PermissionDenied) else PlatformError(_sentence(error.detail))
        if isinstance(error, drf.NotAuthenticated | drf.AuthenticationFailed):
            result.status = 401
        else:
            result.status = error.status_code
        result.code = _DRF_CODES.get(result.status, ErrorCode.GENERAL)
        return result
    log.error("Unexpected error in %s", context["request"].path, exc_info=error)
    return PlatformError("Internal server error")


def _sentence(detail: Any, field: str = "") -> str:
    """DRF's nested error detail as one line: `name: This field is required.`"""
    if isinstance(detail, dict):
        return " ".join(_sentence(value, f"{field}.{key}" if field else str(key)) for key, value in detail.items())
    if isinstance(detail, list):
        return " ".join(_sentence(value, field) for value in detail)
    return f"{field}: {detail}" if field and field != "non_field_errors" else str(detail)
