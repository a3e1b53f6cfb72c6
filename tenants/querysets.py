"""Reads of tenants, profiles, customers and users."""

from typing import Any, Self

from django.db import models
from django.db.models import Q

from tenants.access import is_system, tenant_scope
from thingsboard.kernel.entities import Action


class TenantProfileQuerySet(models.QuerySet[Any]):
    """Tenant profiles."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """System administrators see all, a tenant administrator its tenant's own, which it cannot change."""
        if is_system(user):
            return self
        if action is not Action.VIEW:
            return self.none()
        return self.filter(tenant_scope(user, tenant="tenants__id"))


class TenantQuerySet(models.QuerySet[Any]):
    """Tenants."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """System administrators see all, a tenant administrator its own, which it cannot change."""
        if is_system(user):
            return self
        if action is Action.MANAGE:
            return self.none()
        return self.filter(tenant_scope(user, tenant="id"))


class CustomerQuerySet(models.QuerySet[Any]):
    """Customers."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Tenant administrators see their tenant's, a customer user its own, which it cannot change."""
        return self.filter(tenant_scope(user, customer="id" if action is Action.VIEW else None))


class UserQuerySet(models.QuerySet[Any]):
    """Users."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Everybody sees and changes itself; system administrators see tenant administrators and each other, tenant
        administrators their tenant's users. Customer users see those of their customer, whom they cannot change.
        """
        if user is None or not getattr(user, "is_active", False):
            return self.none()
        own = Q(pk=user.pk)
        if is_system(user):
            return self.filter(own | Q(authority__in=["SYS_ADMIN", "TENANT_ADMIN"]))
        return self.filter(own | tenant_scope(user, customer="customer_id" if action is Action.VIEW else None))


class UserGroupQuerySet(models.QuerySet[Any]):
    """Groups of users."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Tenant administrators see their tenant's."""
        return self.filter(tenant_scope(user))


class AuditLogQuerySet(models.QuerySet[Any]):
    """The audit log."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Tenant administrators see their tenant's, system administrators what belongs to no tenant. Nobody changes it."""
        if action is not Action.VIEW:
            return self.none()
        if is_system(user):
            return self.filter(tenant_id=None)
        return self.filter(tenant_scope(user))
