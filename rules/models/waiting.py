"""What rule nodes hold back and remember. Written and read past the ORM, by the engine (rules.engine.held, .node_state)."""

from django.db import models


class HeldMessage(models.Model):
    """A message that a node holds back, among those of its originator. The body is as in the queue."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.UUIDField()
    node_id = models.UUIDField()
    entity_id = models.UUIDField(help_text="The originator.")
    queue = models.CharField(max_length=255)
    size = models.PositiveIntegerField(help_text="Bytes of the body.")
    body = models.BinaryField()

    class Meta:
        indexes = [
            models.Index(fields=["node_id", "entity_id", "id"], name="held_message_of"),
            models.Index(fields=["tenant_id"], include=["size"], name="held_message_tenant"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} at {self.node_id}"


class NodeState(models.Model):
    """A small value that a node remembers under a key."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.UUIDField()
    node_id = models.UUIDField()
    key = models.CharField(max_length=255)
    value = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["node_id", "key"], name="node_state_key")]
        indexes = [models.Index(fields=["tenant_id"], name="node_state_tenant")]

    def __str__(self) -> str:
        return f"{self.key} of {self.node_id}"
