"""The operators' admin of what is in tenants; `gate` is what the admins of all apps have in common."""

from tenants.admin import audit_log, organisations, user_groups, users

__all__ = ["audit_log", "organisations", "user_groups", "users"]
