"""The nodes of a rule chain and what connects them."""

from django.db import models

from rules.models.chain import RuleChain
from rules.querysets import RuleNodeQuerySet
from tenants.models import TenantOwned


class RuleNode(TenantOwned):
    """One step of a chain. Its id is the same in all versions of the chain that have it.

    `type` is the class by which ThingsBoard knows the kind of node. A kind that we do not know is kept as it came.
    """

    chain = models.ForeignKey(RuleChain, on_delete=models.CASCADE, related_name="nodes", editable=False)
    type = models.CharField(max_length=255, help_text="The class of ThingsBoard's node.")
    name = models.CharField(max_length=255)
    configuration = models.JSONField(default=dict, blank=True)
    configuration_version = models.IntegerField(default=0)
    debug_settings = models.JSONField(null=True, blank=True, help_text="{failuresEnabled, allEnabledUntil: ms}")
    singleton_mode = models.BooleanField(default=False)
    queue_name = models.CharField(max_length=255, null=True, blank=True)
    additional_info = models.JSONField(null=True, blank=True, help_text="{layoutX, layoutY, description}")
    external_id = models.UUIDField(null=True, blank=True)

    objects = RuleNodeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["tenant", "type"], name="rule_node_tenant_type")]

    def __str__(self) -> str:
        return self.name


class RuleConnection(models.Model):
    """Where a node's messages of one relation go."""

    from_node = models.ForeignKey(RuleNode, on_delete=models.CASCADE, related_name="outgoing")
    to_node = models.ForeignKey(RuleNode, on_delete=models.CASCADE, related_name="incoming")
    type = models.CharField(max_length=255, help_text="The relation's label: Success, Failure, True, ...")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["from_node", "to_node", "type"], name="rule_connection_once")]

    def __str__(self) -> str:
        return f"{self.from_node_id} -{self.type}-> {self.to_node_id}"
