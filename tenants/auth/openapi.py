"""What the OpenAPI description says of signing in. Importing this module is what registers it."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class Bearer(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The access token of `/api/auth/login`."""

    target_class = "tenants.auth.jwt.JwtAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """A header of its own or the usual one; here the usual one."""
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `token` of POST /api/auth/login; `X-Authorization: Bearer ...` serves as well.",
        }


class Cookie(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of a browser."""

    target_class = "tenants.auth.browser.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """The cookie; what changes anything needs `X-CSRFToken` beside it."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
