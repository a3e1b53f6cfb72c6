"""The operators' admin of rule chains, queues and dead letters."""

from rules.admin import chains, dead_letters, queues

__all__ = ["chains", "dead_letters", "queues"]
