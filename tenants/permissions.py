"""Which authority a view wants. What of a tenant somebody may see is access.py's business."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from thingsboard.kernel.errors import Forbidden, Unauthenticated


class SignedIn(BasePermission):
    """Whoever is logged in. Nobody is answered as ThingsBoard does: 401 with code 10."""

    authorities: frozenset[str] = frozenset({"SYS_ADMIN", "TENANT_ADMIN", "CUSTOMER_USER"})

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True, or Unauthenticated or Forbidden is raised."""
        if request.user is None or not request.user.is_active:
            raise Unauthenticated("Authentication failed")
        if request.user.authority not in self.authorities:
            raise Forbidden
        return True


class TenantAdmin(SignedIn):
    """Administrators of a tenant."""

    authorities = frozenset({"TENANT_ADMIN"})


class InTenant(SignedIn):
    """Everybody in a tenant: its administrators and its customers' users."""

    authorities = frozenset({"TENANT_ADMIN", "CUSTOMER_USER"})
