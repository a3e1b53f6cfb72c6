"""The admin's lists of tenants, profiles, customers and users."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from tenants.auth.backend import AdminLogin
from tenants.models import Customer, Tenant, TenantProfile, User
from tenants.services.sessions import set_enabled

admin.site.login_form = AdminLogin


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


@admin.register(User)
class UserAdmin(ServedAdmin):
    """Users; their passwords and places are the services' business."""

    list_display = ("email", "authority", "tenant", "customer", "is_active")
    list_select_related = ("tenant", "customer")
    list_filter = ("authority", "is_active")
    search_fields = ("email", "first_name", "last_name")
    fields = ("email", "first_name", "last_name", "phone", "is_active", "authority", "tenant", "customer", "last_login")
    readonly_fields = ("authority", "tenant", "customer", "last_login")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Switching a user off ends its sessions."""
        super().save_model(request, obj, form, change)
        if "is_active" in form.changed_data:
            set_enabled(obj, obj.is_active)
