"""The operators' admin of rule chains and queues."""

from rules.admin import chains, queues

__all__ = ["chains", "queues"]
