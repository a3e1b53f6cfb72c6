"""The admin's lists of tenants, profiles, customers, users, groups and the audit log."""

import json
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tenants.models import AuditLog, Customer, Tenant, TenantProfile, User, UserGroup
from tenants.services.administrators import require_another, require_somebody_else
from tenants.services.sessions import set_enabled
from tenants.services.users import UserFields, update_user
from thingsboard.kernel.entities import registered
from thingsboard.kernel.errors import PlatformError


class ServedAdmin(admin.ModelAdmin):
    """Shows and edits, but leaves making and deleting to the services, which know what else belongs to it."""

    def has_add_permission(self, request: object) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: object, obj: Model | None = None) -> bool:
        """Never."""
        return False


@admin.register(TenantProfile)
class TenantProfileAdmin(admin.ModelAdmin):
    """Tenant profiles."""

    list_display = ("name", "is_default", "description")
    search_fields = ("name",)


@admin.register(Tenant)
class TenantAdmin(ServedAdmin):
    """Tenants."""

    list_display = ("title", "profile", "region", "country")
    list_select_related = ("profile",)
    search_fields = ("title", "region")


@admin.register(Customer)
class CustomerAdmin(ServedAdmin):
    """Customers."""

    list_display = ("title", "tenant", "country")
    list_select_related = ("tenant",)
    list_filter = ("tenant",)
    search_fields = ("title",)


class UserForm(forms.ModelForm):
    """Says what the services would refuse, beside the field. The admin validates and saves in one transaction."""

    caller: User

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
class UserAdmin(ServedAdmin):
    """Users; their passwords and places are the services' business."""

    list_display = ("email", "authority", "tenant", "customer", "is_active")
    list_select_related = ("tenant", "customer")
    list_filter = ("authority", "is_active")
    search_fields = ("email", "first_name", "last_name")
    fields = ("email", "first_name", "last_name", "phone", "is_active", "authority", "tenant", "customer", "last_login")
    readonly_fields = ("authority", "tenant", "customer", "last_login")
    form = UserForm

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, which must know who asks."""
        made: Any = super().get_form(request, obj, change, **kwargs)
        made.caller = request.user
        return made

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """By the services, so that the audit log has it and switching a user off ends its sessions."""
        said = form.cleaned_data
        fields = UserFields(
            email=said["email"],
            first_name=said["first_name"],
            last_name=said["last_name"],
            phone=said["phone"],
            additional_info=obj.additional_info,
        )
        if set(form.changed_data) - {"is_active"}:
            update_user(obj, fields)
        if "is_active" in form.changed_data:
            set_enabled(obj, obj.is_active, by=form.caller)


class ShownAdmin(ServedAdmin):
    """Shows, and changes nothing."""

    def has_change_permission(self, request: object, obj: Model | None = None) -> bool:
        """Never."""
        return False


@admin.register(UserGroup)
class UserGroupAdmin(ShownAdmin):
    """Groups of users."""

    list_display = ("name", "tenant")
    list_select_related = ("tenant",)
    list_filter = ("tenant",)
    search_fields = ("name",)


class KindFilter(admin.SimpleListFilter):
    """By kind of entity, of those that exist: reading them off the log would read all of it."""

    title = "kind of entity"
    parameter_name = "entity_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Each kind with what it is called."""
        return [(kind.value, door.title) for kind, door in sorted(registered().items())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditLog]) -> QuerySet[AuditLog]:
        """What was done to that kind."""
        return queryset.filter(entity_type=self.value()) if self.value() else queryset


@admin.register(AuditLog)
class AuditLogAdmin(ShownAdmin):
    """Who did what, from where, and what it changed."""

    list_display = ("when", "user_name", "action", "entity_type", "entity_name", "success", "address")
    list_filter = ("action", "success", KindFilter)
    search_fields = ("user_name", "entity_name", "address")
    ordering = ("-created_time",)
    show_full_result_count = False
    fields = (
        "when", "user_name", "address", "action", "success", "failure", "entity_type", "entity_name", "entity_id",
        "tenant_id", "customer_id", "user_id", "changes",
    )  # fmt: skip
    readonly_fields = ("when", "changes")

    @admin.display(description="When (UTC)", ordering="created_time")
    def when(self, row: AuditLog) -> str:
        """The time, to the millisecond."""
        return datetime.fromtimestamp(row.created_time / 1000, UTC).isoformat(" ", "milliseconds")

    @admin.display(description="What changed")
    def changes(self, row: AuditLog) -> SafeString:
        """Every member that changed with its value before and after; what is said besides stands after its name."""
        before, after = (row.data.get(side) or {} for side in ("before", "after"))
        besides = {name: value for name, value in row.data.items() if name not in {"before", "after"}}
        lines = [
            (name, _shown(before, name), _shown(after, name) or _shown(besides, name))
            for name in {**before, **after, **besides}
        ]
        return format_html(
            "<table><tr><th>Member</th><th>Before</th><th>After</th></tr>{}</table>",
            format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", lines),
        )


def _shown(values: dict[str, Any], name: str) -> str:
    """A value as text: texts as they are, all else as JSON; "" where there is none."""
    value = values.get(name)
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
