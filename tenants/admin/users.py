"""Users: made in their place, switched off, removed. Their passwords are their own business."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from tenants.address import base_url
from tenants.admin.filters import OwnerFilter
from tenants.admin.gate import OPERATORS, GatedAdmin, ServedForm
from tenants.models import Authority, User
from tenants.services.activation import activation_link
from tenants.services.administrators import require_another, require_somebody_else
from tenants.services.sessions import set_enabled
from tenants.services.user_places import Wish, place_for
from tenants.services.users import UserFields, create_user, delete_user, update_user
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import PlatformError

_MADE_BY = {
    Authority.SYS_ADMIN: (Authority.SYS_ADMIN, Authority.TENANT_ADMIN),
    Authority.TENANT_ADMIN: (Authority.TENANT_ADMIN, Authority.CUSTOMER_USER),
}
_NAMES = ("first_name", "last_name", "phone")


class UserForm(ServedForm):
    """Says what the services would refuse, beside the field."""

    caller: User

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "authority" in self.fields:
            choices: Any = self.fields["authority"]
            choices.choices = [(each.value, each.label) for each in _MADE_BY[Authority(self.caller.authority)]]

    def clean_is_active(self) -> bool:
        """Nobody switches itself off, nor the last system administrator."""
        enabled = bool(self.cleaned_data["is_active"])
        if self.instance.is_active and not enabled:
            try:
                require_somebody_else(self.instance, self.caller, "switch off")
                require_another(self.instance, "switched off")
            except PlatformError as error:
                raise ValidationError(error.message) from None
        return enabled


@admin.register(User)
class UserAdmin(GatedAdmin):
    """Users."""

    erases = True
    made_by = changed_by = removed_by = OPERATORS
    list_display = ("email", "authority", "tenant", "customer", "is_active")
    list_select_related = ("tenant", "customer")
    list_filter = (("tenant", OwnerFilter), "authority", "is_active")
    search_fields = ("email__istartswith", "first_name__istartswith", "last_name__istartswith")
    ordering = ("email",)
    autocomplete_fields = ("tenant", "customer")
    fields = ("email", *_NAMES, "is_active", "authority", "tenant", "customer", "last_login")
    readonly_fields = ("authority", "tenant", "customer", "last_login")
    form = UserForm
    change_form_outer_before_template = "tenants/admin/user.html"

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """A new user has a place to be chosen: a tenant by the system, a customer by a tenant."""
        if obj is not None:
            return super().get_fieldsets(request, obj)
        user: Any = request.user
        place = "tenant" if user.authority == Authority.SYS_ADMIN else "customer"
        return [(None, {"fields": ["email", *_NAMES, "authority", place]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Its place never changes."""
        return super().get_readonly_fields(request, obj) if obj is not None else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, which must know who asks."""
        made: Any = super().get_form(request, obj, change, **kwargs)
        made.caller = request.user
        return made

    def create(self, request: HttpRequest, form: Any) -> Model:
        """Without a password: whoever gets the activation link chooses one."""
        said, caller = form.cleaned_data, form.caller
        tenant, customer = said.get("tenant"), said.get("customer")
        wish = Wish(said["authority"], tenant and tenant.pk, customer and customer.pk)
        place = place_for(caller, wish)
        return create_user(
            said["email"],
            place.authority,
            tenant=place.tenant,
            customer=place.customer,
            **{name: said[name] for name in _NAMES},
        )

    def update(self, request: HttpRequest, form: Any, obj: Any) -> None:
        """Switching a user off ends its sessions."""
        said, changed = form.cleaned_data, set(form.changed_data) - {"read_version"}
        enabled = obj.is_active
        if changed - {"is_active"}:
            names = {name: said[name] for name in _NAMES}
            fields = UserFields(email=said["email"], additional_info=obj.additional_info, **names)
            update_user(obj, fields, version=form.version)
        if "is_active" in changed:
            set_enabled(obj, enabled, by=form.caller)

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """With what was shared with it."""
        user: Any = request.user
        delete_user(obj, by=user)

    def get_urls(self) -> list[Any]:
        """With the page of the activation link."""
        link = path(
            "<uuid:key>/activation/", self.admin_site.admin_view(self.activation), name="tenants_user_activation"
        )
        return [link, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With the way to the activation link, while there is one."""
        found = self.get_object(request, object_id)
        waiting = found is not None and not found.has_usable_password() and self.has_change_permission(request, found)
        extra = {**(extra_context or {}), "waiting": found if waiting else None}
        answer: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return answer

    def activation(self, request: HttpRequest, key: Any) -> HttpResponse:
        """The link by which the user chooses its first password; showing it is in the audit log."""
        user, caller = self.reach(request, str(key), Action.MANAGE), request.user
        context = {**self.admin_site.each_context(request), "title": f"Activation of {user}"}
        try:
            link = activation_link(user, shown_to=caller)  # type: ignore[arg-type]
        except PlatformError as error:
            context["refused"] = error.message
        else:
            query = urlencode({"activateToken": link.token})
            context["link"] = f"{base_url(request)}/api/noauth/activate?{query}"
            context["hours"] = link.ttl_ms // 3_600_000
        return render(request, "tenants/admin/activation.html", {**context, "user_page": self.page_of(user.pk)})
