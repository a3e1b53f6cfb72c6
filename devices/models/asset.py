"""Assets: things that are not devices (a building, a line, a vehicle), and their profiles."""

from django.db import models

from devices.querysets import AssetProfileQuerySet, AssetQuerySet
from tenants.models import Customer, TenantOwned


class AssetProfile(TenantOwned):
    """What assets of one kind share. Rule chains and the dashboard are of higher floors: plain UUIDs, checked through
    the kernel's entity door.
    """

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    image = models.TextField(blank=True)
    is_default = models.BooleanField(default=False)
    default_rule_chain_id = models.UUIDField(null=True, blank=True)
    default_edge_rule_chain_id = models.UUIDField(null=True, blank=True)
    default_dashboard_id = models.UUIDField(null=True, blank=True)
    default_queue_name = models.CharField(max_length=64, null=True, blank=True)
    external_id = models.UUIDField(null=True, blank=True)

    objects = AssetProfileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="asset_profile_name"),
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(is_default=True), name="asset_profile_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Asset(TenantOwned):
    """A thing that devices belong to. `type` is its profile's name (compat/data_model.md 5)."""

    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.SET_NULL, related_name="assets")
    profile = models.ForeignKey(AssetProfile, on_delete=models.PROTECT, related_name="assets")
    name = models.CharField(max_length=255)
    label = models.CharField(max_length=255, blank=True)
    external_id = models.UUIDField(null=True, blank=True)
    additional_info = models.JSONField(null=True, blank=True)

    objects = AssetQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="asset_name")]
        indexes = [models.Index(fields=["tenant", "created_time"], name="asset_tenant_created")]

    def __str__(self) -> str:
        return self.name

    @property
    def type(self) -> str:
        """The profile's name."""
        return self.profile.name
