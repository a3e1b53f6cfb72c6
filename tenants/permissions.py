"""Which authority a view wants. What of a tenant somebody may see is access.py's business."""

import uuid
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tenants.models import Tenant, User
from thingsboard.kernel.errors import Forbidden, Unauthenticated


def caller(request: Request) -> User:
    """The user who asks. Raises Unauthenticated when nobody is logged in."""
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        raise Unauthenticated("Authentication failed")
    return user


def callers_tenant(request: Request) -> uuid.UUID:
    """The tenant of the user who asks. Raises Forbidden for system administrators."""
    tenant_id = caller(request).tenant_id
    if tenant_id is None:
        raise Forbidden
    return tenant_id


def tenant_of(request: Request) -> Tenant:
    """The same as a row. Raises Forbidden."""
    tenant = caller(request).tenant
    if tenant is None:
        raise Forbidden
    return tenant


class SignedIn(BasePermission):
    """Whoever is logged in. Nobody is answered as ThingsBoard does: 401 with code 10."""

    authorities: frozenset[str] = frozenset({"SYS_ADMIN", "TENANT_ADMIN", "CUSTOMER_USER"})

    def has_permission(self, request: Request, view: Any) -> bool:
        """True, or Unauthenticated or Forbidden is raised."""
        if caller(request).authority not in self.authorities:
            raise Forbidden
        return True


class Administrator(SignedIn):
    """System and tenant administrators."""

    authorities = frozenset({"SYS_ADMIN", "TENANT_ADMIN"})


class SystemAdmin(SignedIn):
    """System administrators."""

    authorities = frozenset({"SYS_ADMIN"})


class TenantAdmin(SignedIn):
    """Administrators of a tenant."""

    authorities = frozenset({"TENANT_ADMIN"})


class InTenant(SignedIn):
    """Everybody in a tenant: its administrators and its customers' users."""

    authorities = frozenset({"TENANT_ADMIN", "CUSTOMER_USER"})
