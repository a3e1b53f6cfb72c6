"""The admin's lists of devices and their profiles, and of refusals. Read only: writes pass the services.

Of credentials only the type is shown: they are for who may see the device, and system administrators may not.
"""

from datetime import UTC, datetime

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.timezone import get_current_timezone

from devices.models import Device, DeviceProfile, Refusal
from devices.services import activity
from telemetry.points import Value


class ReadOnlyAdmin(admin.ModelAdmin):
    """Looks, and touches nothing: a change here would by-pass caches, sessions and telemetry."""

    def has_add_permission(self, request: object) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: object, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: object, obj: Model | None = None) -> bool:
        """Never."""
        return False


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin):
    """Devices."""

    list_display = ("name", "profile", "tenant", "customer", "label", "credentials_type")
    list_select_related = ("profile", "tenant", "customer", "credentials")
    list_filter = ("tenant", "credentials__credentials_type")
    search_fields = ("name", "label", "profile__name")
    readonly_fields = ("credentials_type", "activity")

    @admin.display(description="Activity")
    def activity(self, device: Device) -> str:
        """Whether it is active, and when it was heard; times in UTC."""
        lines = [(name, _readable(value)) for name, value in sorted(activity.times(device.pk).items())]
        return format_html_join("", "{}: {}<br>", lines) or "-"

    @admin.display(description="credentials", ordering="credentials__credentials_type")
    def credentials_type(self, device: Device) -> str:
        """Their type; nothing of them is decrypted."""
        return device.credentials.credentials_type if hasattr(device, "credentials") else "-"


def _readable(value: Value) -> str:
    """A time stamp (ms) as a date; anything else, and what no calendar holds, as it is."""
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    try:
        return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return str(value)


@admin.register(DeviceProfile)
class DeviceProfileAdmin(ReadOnlyAdmin):
    """Device profiles."""

    list_display = ("name", "tenant", "transport_type", "is_default")
    list_select_related = ("tenant",)
    list_filter = ("tenant", "transport_type")
    search_fields = ("name",)


@admin.register(Refusal)
class RefusalAdmin(ReadOnlyAdmin):
    """Who could not connect and belongs to no tenant."""

    list_display = ("last", "count", "transport", "address", "reason", "token_prefix", "client_id")
    list_filter = ("transport", "reason")
    search_fields = ("address", "client_id")
    ordering = ("-last_time",)
    exclude = ("digest", "lookup", "window_start", "tenant", "device")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refusal]:
        """As over the API: what belongs to a tenant is that tenant's to see."""
        rows: QuerySet[Refusal] = Refusal.objects.visible_to(request.user)
        return rows.order_by("-last_time")

    @admin.display(description="last time", ordering="last_time")
    def last(self, refusal: Refusal) -> str:
        """When it happened last."""
        moment = datetime.fromtimestamp(refusal.last_time / 1000, get_current_timezone())
        return f"{moment:%Y-%m-%d %H:%M:%S %Z}"
