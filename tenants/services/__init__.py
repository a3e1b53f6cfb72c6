"""Writes of tenants, customers, users and settings, as verbs."""
