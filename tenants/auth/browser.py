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
from tenants.auth.jwt import issue_access, session_of
from tenants.models import User
from tenants.services.sessions import end_session
from thingsboard.kernel.errors import BadRequest, Forbidden, PayloadTooLarge
from thingsboard.kernel.secrets import lookup_hash

# For as long as a page needs to open a WebSocket.
SOCKET_TOKEN_SECONDS = 60


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


def socket_token(request: HttpRequest, user: User) -> str:
    """An access token of this browser's session for SOCKET_TOKEN_SECONDS: what a WebSocket's first message shows, as our
    live door takes no cookies (docs/decisions/0024). It is good for nothing any more once the browser has logged out.
    """
    return issue_access(user, str(_session_id(request)), SOCKET_TOKEN_SECONDS)


def close_session(request: Request, user: User, *, address: str) -> None:
    """Log out: the session of the request's token, or that of its cookie."""
    claims: Any = request.auth
    if claims is not None:
        end_session(user, uuid.UUID(session_of(claims)), address=address)
    else:
        tokens = _session_id(request._request)
        logout(request._request)
        end_session(user, tokens, address=address)


def _session_id(request: HttpRequest) -> uuid.UUID:
    """The id that tokens of the cookie's session carry: the same each time, and it does not betray the cookie."""
    return uuid.UUID(bytes=lookup_hash(f"browser session:{request.session.session_key}")[:16])
