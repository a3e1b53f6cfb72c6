"""The operators' admin of alarms."""

from alarms.admin import alarms

__all__ = ["alarms"]
