"""Dashboards, widgets and pages."""
