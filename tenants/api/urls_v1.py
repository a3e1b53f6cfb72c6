"""Routes under /api/v1/."""

from rest_framework.routers import SimpleRouter

from tenants.api import audit, user_groups
from tenants.api.v1 import customers, profiles, tenants

# These stand under /api/ as well (urls.py).
entities = SimpleRouter(trailing_slash=False, use_regex_path=False)
entities.register("customers", customers.Customers, basename="customer")
entities.register("tenants", tenants.Tenants, basename="tenant")
entities.register("tenantProfiles", profiles.TenantProfiles, basename="tenant-profile")

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("userGroups", user_groups.UserGroups, basename="user-group")
router.register("auditLogs", audit.AuditLogs, basename="audit-log")

urlpatterns = [*entities.urls, *router.urls]
