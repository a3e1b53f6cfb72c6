"""/api/auth: log in, refresh, log out, who am I."""

from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.shapes import user_json
from tenants.auth.jwt import issue_pair, refresh_pair
from tenants.permissions import caller
from tenants.services.users import log_in
from thingsboard.kernel.api import View
from thingsboard.kernel.errors import Unauthenticated

LONGEST_PASSWORD = 1024  # characters: hashing takes time by the length
LONGEST_TOKEN = 8192


class Login(View):
    """POST {"username", "password"} -> {"token", "refreshToken"}."""

    authentication_classes = []
    permission_classes = []

    def post(self, request: Request) -> Response:
        """Log in."""
        body = self.body(request)
        email, password = body.get("username"), body.get("password")
        if not isinstance(email, str) or not isinstance(password, str) or not email or not password:
            raise Unauthenticated("Username or Password not provided")
        if len(password) > LONGEST_PASSWORD:
            raise Unauthenticated("Invalid username or password")
        return Response(issue_pair(log_in(email.strip(), password)).to_json())


class Refresh(View):
    """POST {"refreshToken"} -> a new pair."""

    authentication_classes = []
    permission_classes = []

    def post(self, request: Request) -> Response:
        """Exchange a refresh token."""
        token = self.body(request).get("refreshToken")
        if not isinstance(token, str) or not 0 < len(token) <= LONGEST_TOKEN:
            raise Unauthenticated("Refresh token is not provided")
        return Response(refresh_pair(token).to_json())


class Logout(View):
    """POST: the client forgets its tokens. They stay good until they expire: nothing else is promised yet."""

    def post(self, request: Request) -> Response:
        """Nothing to do."""
        return Response()


class CurrentUser(View):
    """GET: the user of the token."""

    def get(self, request: Request) -> Response:
        """Who am I."""
        return Response(user_json(caller(request)))
