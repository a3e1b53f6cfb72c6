"""The admin's list of erasures: looks, and touches nothing."""

from django.contrib import admin

from telemetry.models import Erasure
from tenants.admin.filters import by_recent
from tenants.admin.gate import ShownAdmin


@admin.register(Erasure)
class ErasureAdmin(ShownAdmin):
    """What is being removed of deleted entities, and what was within the last 30 days."""

    list_display = (
        "entity_type",
        "entity_id",
        "tenant_id",
        "state",
        "deleted_rows",
        "passes",
        "requested_ms",
        "done_ms",
    )
    lookups = frozenset({"entity_id", "entity_type"})
    list_filter = (by_recent("entity_type"),)
    ordering = ("-id",)
    sortable_by = ()
