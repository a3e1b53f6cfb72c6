"""The admin's own doors: logging in, logging out and changing one's password there are what they are everywhere else."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from tenants.address import client_address
from tenants.auth.backend import AdminLogin
from tenants.models import User
from tenants.services.auth_events import AuthEvent, record
from tenants.services.passwords import change_password, require_policy
from thingsboard.kernel.errors import PlatformError


class OwnPassword(AdminPasswordChangeForm):
    """One's own password, changed by the service: it counts wrong ones as failed logins and ends all other sessions."""

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        """`address` is the client's."""
        super().__init__(*args, **kwargs)
        self._address = address

    def clean_old_password(self) -> str:
        """As it was typed: comparing it is the service's business."""
        return str(self.cleaned_data["old_password"])

    def clean_new_password1(self) -> str:
        """Refuse what the policy forbids."""
        password = str(self.cleaned_data["new_password1"])
        try:
            require_policy(password)
        except PlatformError as error:
            raise ValidationError(error.message) from None
        return password

    def clean(self) -> dict[str, Any]:
        """Change it, or show the reason beside a field: the page shows no others."""
        super().clean()
        said = self.cleaned_data
        if not self.errors:
            try:
                self.user = change_password(self.user, said["old_password"], said["new_password1"], self._address)
            except PlatformError as error:
                self.add_error("old_password", error.message)
        return said

    def save(self, commit: bool = True) -> User:
        """The user; it is saved already."""
        return self.user


class OwnPasswordPage(PasswordChangeView):
    """The page of that form."""

    form_class = OwnPassword

    def get_form_kwargs(self) -> dict[str, Any]:
        """With the client's address."""
        return {**super().get_form_kwargs(), "address": client_address(self.request)}


class ServedSite(AdminSite):
    """Django's admin over our services."""

    login_form = AdminLogin

    @method_decorator(never_cache)
    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Log out, and say so in the logs."""
        user = request.user
        answer = super().logout(request, extra_context)
        if isinstance(user, User) and not request.user.is_authenticated:
            record(AuthEvent.LOGOUT, user=user, address=client_address(request))
        return answer

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Change one's own password."""
        page = OwnPasswordPage.as_view(
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return page(request)
