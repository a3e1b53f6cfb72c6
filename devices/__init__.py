"""Devices, profiles, credentials."""
