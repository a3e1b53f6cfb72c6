"""Writes of devices, profiles and credentials, as verbs."""
