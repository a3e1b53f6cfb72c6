"""Tenants, customers, users, authentication and access."""

from typing import Any

from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.db.models.signals import post_delete, post_save

from thingsboard.kernel.entities import register
from thingsboard.kernel.ids import EntityType


class TenantsConfig(AppConfig):
    """Tenants, customers, users, authentication and access."""

    name = "tenants"

    def ready(self) -> None:
        """Open the kernel's door to our entities; whoever saves or deletes a user, no process believes its old state."""
        import tenants.auth.openapi  # noqa: F401  what it declares is found by its import
        from tenants.models import Customer, Tenant, TenantProfile, User
        from tenants.services.session_cache import announce

        def changed(instance: User, **_: Any) -> None:
            announce(instance.pk)

        for signal in (post_save, post_delete):
            signal.connect(changed, sender=User, weak=False, dispatch_uid="tenants.user_changed")

        register(EntityType.TENANT, Tenant, tenant_field="id", title="Tenant")
        register(EntityType.TENANT_PROFILE, TenantProfile, tenant_field=None, title="Tenant profile")
        register(EntityType.CUSTOMER, Customer, title="Customer")
        register(EntityType.USER, User, title="User")


class ServedAdminConfig(admin.AdminConfig):
    """Django's admin with doors of ours."""

    default = False  # of this module's, TenantsConfig is
    default_site = "tenants.auth.admin_site.ServedSite"
