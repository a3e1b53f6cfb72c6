"""What the rest of the platform asks of rules, and the writes of chains and queues: one module for each noun."""

from rules.services.plan import IngestPlan, plan_for

__all__ = ["IngestPlan", "plan_for"]
