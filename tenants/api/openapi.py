"""How the description of the API tells of signing in; loaded with the app (apps.py)."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The JWT of a login."""

    target_class = "tenants.auth.jwt.JwtAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Sent as `Authorization: Bearer ...`."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The cookie of a browser."""

    target_class = "tenants.auth.browser.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Whatever changes something needs the CSRF token, too."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
