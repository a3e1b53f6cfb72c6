"""Routes under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from tenants.api import audit, auth, user_groups
from tenants.api.v1 import customers, profiles, tenants, users

# These stand under /api/ as well (urls.py).
entities = SimpleRouter(trailing_slash=False, use_regex_path=False)
entities.register("customers", customers.Customers, basename="customer")
entities.register("tenants", tenants.Tenants, basename="tenant")
entities.register("users", users.Users, basename="user")
entities.register("tenantProfiles", profiles.TenantProfiles, basename="tenant-profile")

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("userGroups", user_groups.UserGroups, basename="user-group")
router.register("auditLogs", audit.AuditLogs, basename="audit-log")

urlpatterns = [
    path("auth/login", auth.LoginV1.as_view()),
    path("auth/token/refresh", auth.RefreshV1.as_view()),
    path("auth/csrf", auth.Csrf.as_view()),
    path("auth/logout", auth.Logout.as_view()),
    path("auth/socketToken", auth.SocketToken.as_view()),
    path("auth/user", auth.CurrentUserV1.as_view()),
    path("auth/changePassword", auth.ChangePasswordV1.as_view()),
    *entities.urls,
    *router.urls,
]
