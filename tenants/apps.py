"""Tenants, customers, users, authentication and access."""

from django.apps import AppConfig

from thingsboard.kernel.entities import register
from thingsboard.kernel.ids import EntityType


class TenantsConfig(AppConfig):
    """Tenants, customers, users, authentication and access."""

    name = "tenants"

    def ready(self) -> None:
        """Open the kernel's door to our entities."""
        from tenants.models import Customer, Tenant, TenantProfile, User

        register(EntityType.TENANT, Tenant, tenant_field="id", title="Tenant")
        register(EntityType.TENANT_PROFILE, TenantProfile, tenant_field=None, title="Tenant profile")
        register(EntityType.CUSTOMER, Customer, title="Customer")
        register(EntityType.USER, User, title="User")
