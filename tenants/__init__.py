"""Tenants, customers, users, access."""
