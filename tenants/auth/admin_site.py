"""The admin's own doors: logging in, logging out and changing one's password there are what they are everywhere else."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.conf import settings
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from unfold.forms import AdminOwnPasswordChangeForm
from unfold.sites import UnfoldAdminSite

from tenants.address import client_address
from tenants.auth.backend import AdminLogin
from tenants.models import User
from tenants.services.auth_events import AuthEvent, record
from tenants.services.passwords import change_password, require_policy
from thingsboard.kernel.errors import PlatformError

# Django-unfold's own scripts stand in its pages, and Alpine evaluates expressions of them; nothing comes from elsewhere.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


class OwnPassword(AdminOwnPasswordChangeForm):
    """One's own password, changed by the service: it counts wrong ones as failed logins and ends all other sessions."""

    user: Any

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
        said: dict[str, Any] = self.cleaned_data
        if not self.errors:
            try:
                self.user = change_password(self.user, said["old_password"], said["new_password1"], self._address)
            except PlatformError as error:
                self.add_error("old_password", error.message)
        return said

    def save(self, commit: bool = True) -> User:
        """The user; it is saved already."""
        saved: User = self.user
        return saved


class OwnPasswordPage(PasswordChangeView):
    """The page of that form."""

    form_class = OwnPassword

    def get_form_kwargs(self) -> dict[str, Any]:
        """With the client's address."""
        return {**super().get_form_kwargs(), "address": client_address(self.request)}


class ServedSite(UnfoldAdminSite):
    """Django's admin over our services."""

    login_form = AdminLogin
    index_template = "thingsboard/admin/index.html"

    def extra_urls(self) -> list[URLPattern]:
        """Pages of higher floors, behind the same door."""
        return [
            path(f"{name}/", self.admin_view(import_string(view)), name=name)
            for name, view in settings.ADMIN_PAGES.items()
        ]

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """With the policy by which browsers run and load nothing of other hosts."""
        guarded = super().admin_view(view, cacheable)

        def protected(*args: Any, **kwargs: Any) -> Any:
            _require_storable(args[0])
            answer = guarded(*args, **kwargs)
            answer.headers["Content-Security-Policy"] = POLICY
            return answer

        return update_wrapper(protected, guarded)

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Log in, under the same policy."""
        answer = super().login(request, extra_context)
        answer.headers["Content-Security-Policy"] = POLICY
        return answer

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


def _require_storable(request: HttpRequest) -> None:
    """Answer 400 to what no text of the database can hold."""
    said = [request.GET, request.POST] if request.method == "POST" else [request.GET]
    if any("\0" in value for values in said for _, each in values.lists() for value in each):
        raise BadRequest("A NUL character cannot be stored.")
