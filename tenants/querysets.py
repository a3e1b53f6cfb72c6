"""Reads of tenants, profiles, customers and users."""

from typing import Any, Self

from django.db import models
from django.db.models import Q

from tenants.access import is_system, tenant_scope


class TenantProfileQuerySet(models.QuerySet[Any]):
    """Tenant profiles."""

    def visible_to(self, user: Any) -> Self:
        """System administrators see all, a tenant administrator its tenant's own."""
        if is_system(user):
            return self
        return self.filter(tenant_scope(user, tenant="tenants__id"))


class TenantQuerySet(models.QuerySet[Any]):
    """Tenants."""

    def visible_to(self, user: Any) -> Self:
        """System administrators see all, a tenant administrator its own."""
        if is_system(user):
            return self
        return self.filter(tenant_scope(user, tenant="id"))


class CustomerQuerySet(models.QuerySet[Any]):
    """Customers."""

    def visible_to(self, user: Any) -> Self:
        """Tenant administrators see their tenant's, a customer user its own."""
        return self.filter(tenant_scope(user, customer="id"))


class UserQuerySet(models.QuerySet[Any]):
    """Users."""

    def visible_to(self, user: Any) -> Self:
        """Everybody sees itself; system administrators see tenant administrators and each other, tenant administrators
        their tenant's users.
        """
        if user is None or not getattr(user, "is_active", False):
            return self.none()
        own = Q(pk=user.pk)
        if is_system(user):
            return self.filter(own | Q(authority__in=["SYS_ADMIN", "TENANT_ADMIN"]))
        return self.filter(own | tenant_scope(user))
