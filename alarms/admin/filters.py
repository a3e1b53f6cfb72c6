"""Filters of the list of alarms."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from alarms.models import AlarmStatus
from thingsboard.kernel.time import now_ms

HOUR_MS = 3_600_000


class StatusFilter(admin.SimpleListFilter):
    """By status: both flags, or one of them."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """ThingsBoard's, in words."""
        return [("ACTIVE", "Active"), ("CLEARED", "Cleared"), ("UNACK", "Unacknowledged"), *AlarmStatus.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those in it."""
        rows: Any = queryset
        known = {value for value, _ in self.lookup_choices}
        return rows.in_status([self.value()]) if self.value() in known else rows  # type: ignore[no-any-return]


class RaisedFilter(admin.SimpleListFilter):
    """By when it was raised first."""

    title = "raised"
    parameter_name = "raised"
    hours = {
        "1": "In the last hour",
        "24": "In the last 24 hours",
        "168": "In the last 7 days",
        "720": "In the last 30 days",
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """How long ago, at most."""
        return list(self.hours.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those since then."""
        value = self.value()
        if value not in self.hours:
            return queryset
        return queryset.filter(created_time__gte=now_ms() - int(value) * HOUR_MS)
