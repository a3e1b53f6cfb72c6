"""Tenants, their profiles, customers, users and groups, the audit log and the settings of the installation."""

from tenants.models.audit import ActionType, AuditLog
from tenants.models.customer import Customer
from tenants.models.group import UserGroup
from tenants.models.owned import TenantOwned
from tenants.models.profile import TenantProfile
from tenants.models.session import ActivationToken, EndedSession
from tenants.models.setting import SystemSetting
from tenants.models.tenant import Tenant
from tenants.models.user import Authority, User
from tenants.models.user_settings import SettingsKind, UserSettings

__all__ = [
    "ActionType",
    "ActivationToken",
    "AuditLog",
    "Authority",
    "Customer",
    "EndedSession",
    "SettingsKind",
    "SystemSetting",
    "Tenant",
    "TenantOwned",
    "TenantProfile",
    "User",
    "UserGroup",
    "UserSettings",
]
