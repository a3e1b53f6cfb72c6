"""The operators' admin of rule chains, queues, dead letters and traces."""

from rules.admin import chains, dead_letters, queues, traces

__all__ = ["chains", "dead_letters", "queues", "traces"]
