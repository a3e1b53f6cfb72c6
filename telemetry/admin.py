"""The admin's list of erasures: looks, and touches nothing."""

from django.contrib import admin

from telemetry.models import Erasure


@admin.register(Erasure)
class ErasureAdmin(admin.ModelAdmin):
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
    list_filter = ("entity_type",)
    search_fields = ("entity_id", "tenant_id")
    ordering = ("-id",)

    def has_add_permission(self, request: object) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: object, obj: Erasure | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: object, obj: Erasure | None = None) -> bool:
        """Never."""
        return False
