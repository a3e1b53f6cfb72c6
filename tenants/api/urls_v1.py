"""Routes under /api/v1/."""

from rest_framework.routers import SimpleRouter

from tenants.api import audit, user_groups

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("userGroups", user_groups.UserGroups, basename="user-group")
router.register("auditLogs", audit.AuditLogs, basename="audit-log")

urlpatterns = router.urls
