"""Django's own way to log in (the admin's form), behind the same lock-out as ours."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from unfold.forms import AuthenticationForm

from tenants.address import client_address
from tenants.models import User
from tenants.services.sign_in import sign_in
from thingsboard.kernel.errors import PlatformError

BACKEND = "tenants.auth.backend.GuardedBackend"


class GuardedBackend(ModelBackend):
    """Checks e-mail and password as the REST login does."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> User | None:
        """The user. Raises PermissionDenied, so that no other backend is asked; None for other kinds of credentials."""
        if not username or password is None:
            return None
        try:
            return sign_in(username.strip(), password, client_address(request) if request else "")
        except PlatformError:
            raise PermissionDenied from None


class AdminLogin(AuthenticationForm):
    """The admin's login form; it says why somebody has to wait."""

    def clean(self) -> dict[str, Any]:
        """Sign in, or show the reason."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password:
            address = client_address(self.request) if self.request else ""
            try:
                user = sign_in(email.strip(), password, address)
            except PlatformError as error:
                raise ValidationError(error.message, code="invalid_login") from None
            user.backend = BACKEND  # what Django's login() asks for
            self.user_cache = user
            self.confirm_login_allowed(user)
        said: dict[str, Any] = self.cleaned_data
        return said
