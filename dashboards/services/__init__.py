"""Writes of dashboards, and what a configuration must be."""
