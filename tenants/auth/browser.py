"""Sessions of browsers: a cookie beside the Bearer token, on the same endpoints, always with CSRF protection."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout, update_session_auth_hash
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import authentication
from rest_framework.request import Request

from tenants.auth.backend import BACKEND
from tenants.auth.jwt import session_of
from tenants.models import User
from tenants.services.auth_events import AuthEvent, record
from tenants.services.sessions import end_session
from thingsboard.kernel.errors import BadRequest, Forbidden, PayloadTooLarge


class SessionAuthentication(authentication.SessionAuthentication):
    """Django's session cookie; whatever changes something must carry the CSRF token in the header X-CSRFToken."""

    def enforce_csrf(self, request: Request) -> None:
        """Raise Forbidden with a sentence where the token is missing or wrong."""
        require_csrf(request)


def require_csrf(request: Request) -> None:
    """Raise Forbidden unless a page of ours sent this (GET, HEAD and OPTIONS need no proof)."""
    plain: HttpRequest = request._request
    check = authentication.CSRFCheck(lambda _: HttpResponse())
    try:
        # Read now: Django looks for the token in forms, too, and would leave nothing of a multipart one for our parser.
        plain.body  # noqa: B018
        check.process_request(plain)
        reason = check.process_view(plain, lambda _: HttpResponse(), (), {})
    except RequestDataTooBig:
        raise PayloadTooLarge("The request's body is too large; expected at most 16 MiB.") from None
    except (MultiPartParserError, SuspiciousOperation):
        raise BadRequest("The form in the request's body cannot be read.") from None
    if reason:
        raise Forbidden(
            "CSRF check failed: expected the value of the cookie 'csrftoken' in the header X-CSRFToken, from an origin of "
            "ours."
        )


def open_session(request: HttpRequest, user: User, *, remember: bool) -> int:
    """Set the cookie of a new session; for how many seconds it is good."""
    seconds = settings.TB_SESSION_REMEMBER_SECONDS if remember else settings.TB_SESSION_SECONDS
    login(request, user, backend=BACKEND)
    request.session.set_expiry(seconds)
    return int(seconds)


def keep_session(request: HttpRequest, user: User) -> None:
    """After a change of the password: this browser stays logged in, with a new cookie; its others do not."""
    update_session_auth_hash(request, user)


def close_session(request: Request, user: User, *, address: str) -> None:
    """Log out: the session of the request's token, or that of its cookie."""
    claims: Any = request.auth
    if claims is not None:
        end_session(user, uuid.UUID(session_of(claims)), address=address)
    else:
        logout(request._request)
        record(AuthEvent.LOGOUT, user=user, address=address)
