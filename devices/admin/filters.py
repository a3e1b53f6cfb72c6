"""Filters of lists of devices."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest


class ActiveFilter(admin.SimpleListFilter):
    """By whether a device was heard lately."""

    title = "activity"
    parameter_name = "active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Both states."""
        return [("1", "Active"), ("0", "Inactive")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those in that state."""
        return queryset.filter(active=self.value() == "1") if self.value() in {"0", "1"} else queryset
