"""Tenants, their profiles, and customers."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from tenants.admin.filters import OwnerFilter
from tenants.admin.gate import OPERATORS, SYSTEM, TENANT, GatedAdmin
from tenants.models import Customer, Tenant, TenantProfile
from tenants.models.contact import Contact
from tenants.services import customers, tenants

CONTACT = tuple(field.name for field in Contact._meta.get_fields())
_CONTACT_SET = ("Contact", {"fields": CONTACT, "classes": ["collapse"]})


@admin.register(TenantProfile)
class TenantProfileAdmin(GatedAdmin):
    """Tenant profiles."""

    seen_by = OPERATORS
    made_by = changed_by = removed_by = SYSTEM
    list_display = ("name", "is_default", "description")
    search_fields = ("name__istartswith",)
    ordering = ("name",)
    fields = ("name", "description", "is_default", "isolated_rule_engine", "profile_data")
    readonly_fields = ("is_default",)

    def create(self, request: HttpRequest, form: Any) -> Model:
        """A profile."""
        return tenants.create_profile(**_said(form))

    def update(self, request: HttpRequest, form: Any, obj: Any) -> None:
        """What the form says of it."""
        tenants.update_profile(obj, version=form.version, **_said(form))

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Unless tenants have it."""
        tenants.delete_profile(obj)


@admin.register(Tenant)
class TenantAdmin(GatedAdmin):
    """Tenants."""

    erases = True
    made_by = changed_by = removed_by = SYSTEM
    list_display = ("title", "profile", "region", "country")
    list_select_related = ("profile",)
    search_fields = ("title__istartswith", "region__istartswith")
    ordering = ("title",)
    autocomplete_fields = ("profile",)
    fieldsets = ((None, {"fields": ("title", "profile", "region")}), _CONTACT_SET)

    def create(self, request: HttpRequest, form: Any) -> Model:
        """A tenant with what every tenant has."""
        return tenants.create_tenant(**_said(form))

    def update(self, request: HttpRequest, form: Any, obj: Any) -> None:
        """What the form says of it."""
        tenants.update_tenant(obj, version=form.version, **_said(form))

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """With all that it owns."""
        tenants.delete_tenant(obj)


@admin.register(Customer)
class CustomerAdmin(GatedAdmin):
    """Customers."""

    erases = True
    made_by = changed_by = removed_by = TENANT
    list_display = ("title", "tenant", "country", "email")
    list_select_related = ("tenant",)
    list_filter = (("tenant", OwnerFilter),)
    search_fields = ("title__istartswith",)
    ordering = ("title",)
    readonly_fields = ("tenant",)
    fieldsets = ((None, {"fields": ("title", "tenant")}), _CONTACT_SET)
    add_fieldsets = ((None, {"fields": ("title",)}), _CONTACT_SET)

    def create(self, request: HttpRequest, form: Any) -> Model:
        """A customer of the caller's tenant."""
        user: Any = request.user
        return customers.create_customer(user.tenant, **_said(form))

    def update(self, request: HttpRequest, form: Any, obj: Any) -> None:
        """What the form says of it."""
        customers.update_customer(obj, version=form.version, **_said(form))

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """With its users; its devices are nobody's then."""
        customers.delete_customer(obj)


def _said(form: Any) -> dict[str, Any]:
    """The fields of a form, as services take them."""
    return {name: value for name, value in form.cleaned_data.items() if name != "read_version"}
