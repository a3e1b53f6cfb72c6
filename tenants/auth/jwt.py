"""Users' tokens: a pair of JWTs with ThingsBoard's claims (compat/data_model.md 2)."""

import uuid
from typing import Any, NamedTuple

import jwt
from django.conf import settings
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.backends import TokenBackend

from tenants.models import User
from tenants.services.session_cache import SessionState, cache, read_state
from tenants.services.settings import jwt_signing_key
from thingsboard.kernel.errors import TokenExpired, Unauthenticated
from thingsboard.kernel.ids import NULL_UUID, parse_uuid
from thingsboard.kernel.time import now_ms

ALGORITHM = "HS512"
ISSUER = "thingsboard.io"
REFRESH_SCOPE = "REFRESH_TOKEN"
GENERATION = "generation"  # ours: the user's session_generation when the session began
REQUIRED = ["sub", "userId", "scopes", "sessionId", "exp", "iss", "iat", GENERATION]


class Pair(NamedTuple):
    """What a login answers."""

    token: str
    refresh_token: str

    def to_json(self) -> dict[str, str]:
        """ThingsBoard's JSON form."""
        return {"token": self.token, "refreshToken": self.refresh_token}

    def to_resource(self) -> dict[str, str]:
        """The form of our own API, with both names of the refresh token (mission.md 1)."""
        return {**self.to_json(), "refresh_token": self.refresh_token}


class JwtAuthentication(JWTAuthentication):
    """`X-Authorization: Bearer <jwt>`, else `Authorization: Bearer <jwt>`."""

    def authenticate(self, request: Request) -> tuple[User, dict[str, Any]] | None:
        """The user and the token's claims; None without a header. Raises Unauthenticated or TokenExpired."""
        header = request.META.get("HTTP_X_AUTHORIZATION") or request.META.get("HTTP_AUTHORIZATION")
        if not header:
            return None
        kind, _, token = header.strip().partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Unauthenticated("Authentication failed")
        claims = verified(token.strip())
        if claims["scopes"] == [REFRESH_SCOPE]:
            raise Unauthenticated("Authentication failed")
        return user_of(claims), claims


def issue_pair(user: User, session_id: str | None = None) -> Pair:
    """Tokens of a new session, or new ones of a session that goes on."""
    session_id = session_id or str(uuid.uuid4())
    refresh = {
        **_claims(user, session_id, settings.TB_REFRESH_TOKEN_SECONDS),
        "scopes": [REFRESH_SCOPE],
        "jti": str(uuid.uuid4()),
    }
    return Pair(issue_access(user, session_id, settings.TB_ACCESS_TOKEN_SECONDS), _signed(refresh))


def issue_access(user: User, session_id: str, seconds: float) -> str:
    """An access token of a session, good for so long; nothing renews it."""
    access: dict[str, Any] = {
        **_claims(user, session_id, seconds),
        "scopes": [user.authority],
        "enabled": user.is_active,
        "tenantId": str(user.tenant_id or NULL_UUID),
        "customerId": str(user.customer_id or NULL_UUID),
    }
    if user.first_name:
        access["firstName"] = user.first_name
    if user.last_name:
        access["lastName"] = user.last_name
    return _signed(access)


def refresh_pair(token: str) -> Pair:
    """A new pair of the same session for a refresh token. Raises Unauthenticated or TokenExpired."""
    claims = verified(token)
    if claims["scopes"] != [REFRESH_SCOPE]:
        raise Unauthenticated("Authentication failed")
    user_id, session_id = parse_uuid(claims["userId"]), parse_uuid(claims["sessionId"])
    # Asks the database, not the cache: what lives for a month shall not come of what ended a moment ago.
    return issue_pair(_alive(read_state(user_id, session_id), claims), session_of(claims))


def verified(token: str) -> dict[str, Any]:
    """The claims of a token that we signed and that is still good. Raises Unauthenticated or TokenExpired.

    Expiry is judged by the kernel's clock, so `exp` and `iat` are compared here instead of by the library.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            jwt_signing_key(),
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            options={"require": REQUIRED, "verify_exp": False, "verify_iat": False},
        )
        parse_uuid(claims["userId"])
        parse_uuid(claims["sessionId"])
        expires, _, _ = int(claims["exp"]), int(claims["iat"]), int(claims[GENERATION])
    except (jwt.InvalidTokenError, TypeError, ValueError, OverflowError):
        raise Unauthenticated("Authentication failed") from None
    if expires * 1000 <= now_ms():
        raise TokenExpired("Token has expired")
    return claims


def session_of(claims: dict[str, Any]) -> str:
    """The id of the session that a verified token belongs to."""
    return str(claims["sessionId"])


def user_of(claims: dict[str, Any]) -> User:
    """The user whose token this is, as it was at most a second ago: usually without a query (services.session_cache).

    Raises Unauthenticated when the user is gone or switched off, or the session has ended.
    """
    return _alive(cache.ask(parse_uuid(claims["userId"]), parse_uuid(claims["sessionId"])), claims)


def _claims(user: User, session_id: str, seconds: float) -> dict[str, Any]:
    """What both kinds of token say."""
    now = now_ms() // 1000
    return {
        "sub": user.email,
        "userId": str(user.pk),
        "sessionId": session_id,
        GENERATION: user.session_generation,
        "iat": now,
        "exp": now + int(seconds),
        "isPublic": False,
    }


def _signed(claims: dict[str, Any]) -> str:
    return str(TokenBackend(ALGORITHM, jwt_signing_key(), issuer=ISSUER).encode(claims))


def _alive(state: SessionState, claims: dict[str, Any]) -> User:
    user = state.user
    if user is None:
        raise Unauthenticated("Authentication failed")
    if not user.is_active:
        raise Unauthenticated("User account is not active")
    if state.ended or claims[GENERATION] != user.session_generation:
        raise Unauthenticated("Token is outdated")
    return user
