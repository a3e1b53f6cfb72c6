"""Filters of lists that show nobody what is not its own."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from tenants.access import is_system
from tenants.admin.gate import within_reach


class ReachForm(AutocompleteDropdownForm):
    """Finds, and names, only what the caller sees."""

    def __init__(
        self, request: HttpRequest, name: str, label: str, choices: Any, field: Any, *args: Any, **kwargs: Any
    ):
        super().__init__(request, name, label, choices, field, *args, **kwargs)
        self.fields[name].queryset = within_reach(field.remote_field.model, request.user)


class ReachFilter(AutocompleteSelectFilter):
    """By a related row, found by typing."""

    form_class = ReachForm


class OwnerFilter(ReachFilter):
    """By tenant; only who sees several has it."""

    def has_output(self) -> bool:
        """Whether it is shown."""
        return is_system(self.request.user)


RECENT = 1000  # rows that are looked through for what can be chosen


class RecentFilter(admin.SimpleListFilter):
    """By a text column; offers what the newest rows have, because asking all of them might take long."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What the newest rows say, and what is asked for."""
        newest = model_admin.get_queryset(request).order_by(*model_admin.ordering)
        found = set(newest.values_list(self.parameter_name, flat=True)[:RECENT])
        return [(value, value) for value in sorted(found)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those that say so."""
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


def by_recent(column: str) -> type[RecentFilter]:
    """The filter of one column."""
    return type(
        f"{column.title()}Filter", (RecentFilter,), {"title": column.replace("_", " "), "parameter_name": column}
    )
