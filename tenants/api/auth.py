"""/api/auth and /api/v1/auth: log in, refresh, log out, who am I, change the password.

Both families are one: a view of ours under /api/v1 differs in the shape of its answers only.
"""

from collections.abc import Mapping
from typing import Any

from django.middleware.csrf import get_token
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.address import client_address
from tenants.api.shapes import user_resource
from tenants.auth.browser import (
    SOCKET_TOKEN_SECONDS,
    close_session,
    keep_session,
    open_session,
    require_csrf,
    socket_token,
)
from tenants.auth.jwt import Pair, issue_pair, refresh_pair
from tenants.permissions import caller
from tenants.services.documents import user_json
from tenants.services.passwords import change_password
from tenants.services.sign_in import sign_in
from thingsboard.kernel.api import View
from thingsboard.kernel.errors import BadRequest, Unauthenticated

LONGEST_TOKEN = 8192


class Login(View):
    """POST {"username" or "email", "password"} -> {"token", "refreshToken"}.

    With `"session": true` a browser gets a cookie instead, for an hour or, with `"remember_me": true`, for 30 days. No
    tokens then: what a script cannot read, a script cannot steal. It must prove with its CSRF token that a page of ours
    asks, or another site could log its visitors in as somebody else.
    """

    authentication_classes = []
    permission_classes = []
    pair = staticmethod(Pair.to_json)
    expires_name = "expiresIn"

    def post(self, request: Request) -> Response:
        """Log in."""
        body = self.body(request)
        email, password = first_text(body, "username", "email").strip(), first_text(body, "password")
        if not email or not password:
            raise Unauthenticated("Username or Password not provided")
        session, remember = flag_of(body, "session"), flag_of(body, "remember_me", "rememberMe")
        if session:
            require_csrf(request)
        user = sign_in(email, password, client_address(request._request))
        if session:
            return Response({self.expires_name: open_session(request._request, user, remember=remember)})
        return Response(self.pair(issue_pair(user)))


class LoginV1(Login):
    """The same, with `refresh_token` and `expires_in`."""

    pair = staticmethod(Pair.to_resource)
    expires_name = "expires_in"


class Csrf(View):
    """GET -> {"csrfToken"}, and its cookie: what a browser needs to log in with a session."""

    authentication_classes = []
    permission_classes = []

    def get(self, request: Request) -> Response:
        """The token, for the header X-CSRFToken."""
        return Response({"csrfToken": get_token(request._request)}, headers={"Cache-Control": "no-store"})


class Refresh(View):
    """POST {"refreshToken"} -> a new pair."""

    authentication_classes = []
    permission_classes = []
    pair = staticmethod(Pair.to_json)

    def post(self, request: Request) -> Response:
        """Exchange a refresh token."""
        token = first_text(self.body(request), "refreshToken", "refresh_token")
        if not 0 < len(token) <= LONGEST_TOKEN:
            raise Unauthenticated("Refresh token is not provided")
        return Response(self.pair(refresh_pair(token)))


class RefreshV1(Refresh):
    """The same, with `refresh_token`."""

    pair = staticmethod(Pair.to_resource)


class Logout(View):
    """POST: the session of the token or cookie ends, with all its tokens; the user's other sessions go on."""

    def post(self, request: Request) -> Response:
        """Log out."""
        close_session(request, caller(request), address=client_address(request._request))
        return Response()


class SocketToken(View):
    """POST -> {"token", "expires_in"}: for a browser with a cookie, what opens a WebSocket."""

    def post(self, request: Request) -> Response:
        """A token for the next minute."""
        user = caller(request)
        if request.auth is not None:
            raise BadRequest("Expected a browser's session; a token opens a WebSocket itself.")
        token = socket_token(request._request, user)
        return Response({"token": token, "expires_in": SOCKET_TOKEN_SECONDS}, headers={"Cache-Control": "no-store"})


class CurrentUser(View):
    """GET: the user of the token or cookie."""

    shape = staticmethod(user_json)

    def get(self, request: Request) -> Response:
        """Who am I."""
        return Response(self.shape(caller(request)))


class CurrentUserV1(CurrentUser):
    """The same in our own API's shape."""

    shape = staticmethod(user_resource)


class ChangePassword(View):
    """POST {"currentPassword", "newPassword"} -> a pair: all the user's other sessions end.

    A browser with a cookie keeps its session instead, and gets no tokens.
    """

    pair = staticmethod(Pair.to_json)

    def post(self, request: Request) -> Response:
        """Change one's own password."""
        body = self.body(request)
        current = first_text(body, "currentPassword", "current_password")
        new = first_text(body, "newPassword", "new_password")
        if not current or not new:
            raise BadRequest("currentPassword and newPassword: expected two texts.")
        user = change_password(caller(request), current, new, client_address(request._request))
        if request.auth is None:
            keep_session(request._request, user)
            return Response()
        return Response(self.pair(issue_pair(user)))


class ChangePasswordV1(ChangePassword):
    """The same, with `refresh_token`."""

    pair = staticmethod(Pair.to_resource)


def first_text(body: Mapping[str, Any], *names: str) -> str:
    """The first of these members that is a text, as it is; "" when none is."""
    return next((value for name in names if isinstance(value := body.get(name), str) and value), "")


def flag_of(body: Mapping[str, Any], *names: str) -> bool:
    """Whether one of these members is true. Raises BadRequest for what is no boolean."""
    for name in names:
        if not isinstance(body.get(name, False), bool | None):
            raise BadRequest(f"{name}: expected true or false")
    return any(body.get(name) for name in names)
