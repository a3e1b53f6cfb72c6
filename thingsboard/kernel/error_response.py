"""How errors answer: ThingsBoard's body on its own paths (compat/data_model.md 1.1), our own under /api/v1 and from
views of that family wherever else they stand (`errors_have_detail`).

Apart from errors.py, because models may raise errors, but must not wait for REST framework to be ready.
"""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from thingsboard.kernel.errors import BadRequest, ErrorCode, Forbidden, NotFound, PlatformError
from thingsboard.kernel.time import now_ms

log = logging.getLogger(__name__)

_DRF_CODES = {
    400: ErrorCode.BAD_REQUEST_PARAMS,
    401: ErrorCode.AUTHENTICATION,
    403: ErrorCode.PERMISSION_DENIED,
    404: ErrorCode.ITEM_NOT_FOUND,
    429: ErrorCode.TOO_MANY_REQUESTS,
}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The only exception handler of both API families. Unexpected errors are logged and answered without details."""
    set_rollback()
    error = _as_platform_error(error, context)
    path = context["request"].path
    if path.startswith("/api/v1/") or getattr(context.get("view"), "errors_have_detail", False):
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
