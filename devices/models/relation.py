"""Relations: typed, directed links between any two entities of a tenant."""

from django.db import models

from devices.querysets import EntityRelationQuerySet
from tenants.models import Tenant
from thingsboard.kernel.ids import EntityId, EntityType


class RelationGroup(models.TextChoices):
    """Whom a relation is for (compat/data_model.md 3, EntityRelation); people see COMMON ones."""

    COMMON = "COMMON"
    DASHBOARD = "DASHBOARD"
    RULE_CHAIN = "RULE_CHAIN"
    RULE_NODE = "RULE_NODE"
    EDGE = "EDGE"
    EDGE_AUTO_ASSIGN_RULE_CHAIN = "EDGE_AUTO_ASSIGN_RULE_CHAIN"


class Direction(models.TextChoices):
    """Which end of a relation an entity is, seen from the one that asks."""

    FROM = "FROM"
    TO = "TO"


class EntityRelation(models.Model):
    """`from` is related to `to` as `type` says ("Contains", "Manages", ...). It has no id of its own in ThingsBoard's API:
    both ends, type and group are its key.

    Ends are entities of any floor, so no foreign key holds them; their services say when they go.
    """

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", editable=False)
    from_type = models.CharField(max_length=32)
    from_id = models.UUIDField()
    to_type = models.CharField(max_length=32)
    to_id = models.UUIDField()
    group = models.CharField(max_length=32, choices=RelationGroup.choices, default=RelationGroup.COMMON)
    type = models.CharField(max_length=255)
    additional_info = models.JSONField(null=True, blank=True)
    version = models.BigIntegerField(default=1, editable=False)

    objects = EntityRelationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["from_id", "from_type", "group", "type", "to_id", "to_type"], name="relation_key"
            )
        ]
        indexes = [models.Index(fields=["to_id", "to_type", "group", "type"], name="relation_to")]

    def __str__(self) -> str:
        return f"{self.from_type} {self.from_id} {self.type} {self.to_type} {self.to_id}"

    @property
    def from_entity(self) -> EntityId:
        """Where it starts."""
        return EntityId(EntityType(self.from_type), self.from_id)

    @property
    def to_entity(self) -> EntityId:
        """Where it ends."""
        return EntityId(EntityType(self.to_type), self.to_id)
