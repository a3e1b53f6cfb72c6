"""Entity views: a part of a device or an asset, to be shown to somebody who must not see all of it."""

from typing import Any

from django.db import models

from devices.querysets import EntityViewQuerySet
from tenants.models import Customer, TenantOwned
from thingsboard.kernel.ids import EntityId, EntityType


def no_keys() -> dict[str, Any]:
    """ThingsBoard's TelemetryEntityView that shows nothing."""
    return {"timeseries": [], "attributes": {"cs": [], "ss": [], "sh": []}}


class EntityView(TenantOwned):
    """Some series and attributes of one entity, within a range of time (compat/data_model.md 3)."""

    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.SET_NULL, related_name="entity_views"
    )
    entity_type = models.CharField(max_length=32)
    entity_id = models.UUIDField()
    name = models.CharField(max_length=255)
    type = models.CharField(max_length=255)
    keys = models.JSONField(
        default=no_keys, help_text='{"timeseries": [...], "attributes": {"cs": [...], "ss": [...], "sh": [...]}}'
    )
    start_ts = models.BigIntegerField(default=0, help_text="Milliseconds since 1970; 0: from the beginning.")
    end_ts = models.BigIntegerField(default=0, help_text="Milliseconds since 1970; 0: without an end.")
    external_id = models.UUIDField(null=True, blank=True)
    additional_info = models.JSONField(null=True, blank=True)

    objects = EntityViewQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="entity_view_name")]
        indexes = [
            models.Index(fields=["tenant", "created_time"], name="entity_view_tenant_created"),
            models.Index(fields=["entity_id"], name="entity_view_entity"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def entity(self) -> EntityId:
        """Of what it is a view."""
        return EntityId(EntityType(self.entity_type), self.entity_id)
