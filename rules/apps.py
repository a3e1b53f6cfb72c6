"""Rule chains and the ingest plan."""

from django.apps import AppConfig

from thingsboard.kernel.entities import register
from thingsboard.kernel.ids import EntityType


class RulesConfig(AppConfig):
    """Rule chains and the ingest plan."""

    name = "rules"

    def ready(self) -> None:
        """Open the kernel's door to chains, nodes and queues."""
        from rules.models import Queue, RuleChain, RuleNode

        register(EntityType.RULE_CHAIN, RuleChain, title="Rule chain")
        register(EntityType.RULE_NODE, RuleNode, title="Rule node")
        register(EntityType.QUEUE, Queue, tenant_field=None, title="Queue")
