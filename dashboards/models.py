"""Dashboards: what of a tenant's devices is shown how, and to which of its customers."""

from django.db import models

from dashboards.querysets import DashboardManager
from tenants.models import Customer, TenantOwned


class Dashboard(TenantOwned):
    """A page of widgets. `configuration` is ThingsBoard's JSON as text: it comes back as it came, in the same order."""

    title = models.CharField(max_length=255)
    image = models.TextField(null=True, blank=True, help_text="A data: URL or a link.")
    mobile_hide = models.BooleanField(default=False)
    mobile_order = models.IntegerField(null=True, blank=True)
    configuration = models.TextField(default="null", help_text="JSON.")
    external_id = models.UUIDField(null=True, blank=True)
    customers = models.ManyToManyField(Customer, related_name="dashboards", blank=True)

    objects = DashboardManager()

    class Meta:
        indexes = [models.Index(fields=["tenant", "created_time"], name="dashboard_tenant_created")]

    def __str__(self) -> str:
        return self.title
