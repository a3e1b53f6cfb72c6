"""The operators' admin of devices, their profiles and groups, and of what was refused."""

from devices.admin import devices, groups, profiles, refusals

__all__ = ["devices", "groups", "profiles", "refusals"]
