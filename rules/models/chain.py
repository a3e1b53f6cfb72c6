"""Rule chains: what happens to a message."""

from django.db import models

from rules.querysets import RuleChainQuerySet
from tenants.models import TenantOwned


class RuleChainType(models.TextChoices):
    """Where a chain runs: here, or on an edge, for which it is only kept (compat/data_model.md 3)."""

    CORE = "CORE"
    EDGE = "EDGE"


class RuleChain(TenantOwned):
    """Its nodes and connections are rows of their own; `version` counts every change of any of them.

    What runs is never read from those rows but from the `RuleChainVersion` whose number is `version`.
    """

    name = models.CharField(max_length=255)
    type = models.CharField(max_length=16, choices=RuleChainType.choices, default=RuleChainType.CORE)
    root = models.BooleanField(default=False, help_text="Takes what no profile sends to a chain of its own.")
    first_rule_node_id = models.UUIDField(null=True, blank=True)
    debug_mode = models.BooleanField(default=False)
    configuration = models.JSONField(null=True, blank=True)
    additional_info = models.JSONField(null=True, blank=True)
    external_id = models.UUIDField(null=True, blank=True)
    auto_assign_to_edge = models.BooleanField(default=False)

    objects = RuleChainQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "type"], condition=models.Q(root=True), name="rule_chain_one_root"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "created_time"], name="rule_chain_tenant_created")]

    def __str__(self) -> str:
        return self.name
