"""Why devices did not connect. Read only."""

from django.contrib import admin

from devices.admin.times import readable
from devices.models import Refusal
from tenants.admin.filters import OwnerFilter, ReachFilter, by_recent
from tenants.admin.gate import ShownAdmin


@admin.register(Refusal)
class RefusalAdmin(ShownAdmin):
    """Who was refused: a tenant's to its administrators, all to system administrators."""

    list_display = ("last", "count", "transport", "address", "reason", "device", "token_prefix", "client_id")
    list_filter = (by_recent("transport"), by_recent("reason"), ("tenant", OwnerFilter), ("device", ReachFilter))
    list_select_related = ("device",)
    search_fields = ("address__startswith", "client_id__startswith")
    ordering = ("-last_time",)
    sortable_by = ("last",)
    exclude = ("digest", "lookup", "window_start", "tenant", "first_time", "last_time")
    readonly_fields = ("first", "last")

    @admin.display(description="last time (UTC)", ordering="last_time")
    def last(self, refusal: Refusal) -> str:
        """When it happened last."""
        return readable(refusal.last_time)

    @admin.display(description="first time (UTC)")
    def first(self, refusal: Refusal) -> str:
        """When it happened first."""
        return readable(refusal.first_time)
