"""Tenants, customers, users, authentication and access."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Tenants, customers, users, authentication and access."""

    name = "tenants"
