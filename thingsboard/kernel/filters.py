"""Filters of lists in our own API (/api/v1) that refuse what they do not understand, where django-filter would ignore it."""

from typing import Any

from django import forms
from django.db.models import BooleanField
from django_filters import rest_framework as filters

LAST_MS = 2**63 - 1


class FlagField(forms.Field):
    """true or false; a form's own would take anything else for neither."""

    widget = forms.Select(choices=[("", "---------"), ("true", "true"), ("false", "false")])

    def to_python(self, value: Any) -> bool | None:
        """None where nothing was asked. Raises ValidationError."""
        if value in self.empty_values:
            return None
        text = str(value).lower()
        if text not in {"true", "false"}:
            raise forms.ValidationError("expected true or false")
        return text == "true"


class FlagFilter(filters.BooleanFilter):
    """`?active=true`; anything but true and false is refused."""

    field_class = FlagField

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"widget": FlagField.widget, **options})


class TimeFilter(filters.NumberFilter):
    """A time in ms, in digits: to make a whole number of -1e99999999, as a plain NumberFilter does, takes minutes."""

    field_class = forms.IntegerField

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": LAST_MS, **options})


class CreatedBetween(filters.FilterSet):
    """Filters that every entity has: `since` (included) and `until` (not), in ms."""

    FILTER_DEFAULTS = {**filters.FilterSet.FILTER_DEFAULTS, BooleanField: {"filter_class": FlagFilter}}

    since = TimeFilter(field_name="created_time", lookup_expr="gte")
    until = TimeFilter(field_name="created_time", lookup_expr="lt")
