"""The admin's pages of the rule engine."""

from rules.admin import dead_letters

__all__ = ["dead_letters"]
