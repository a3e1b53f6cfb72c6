"""Filters of lists in our own API (/api/v1) that refuse what they do not understand."""

from typing import Any

from django import forms
from django_filters import rest_framework as filters


class FlagField(forms.Field):
    """True, False, or None where nothing is said."""

    def to_python(self, value: Any) -> bool | None:
        """Raises ValidationError."""
        text = str(value or "").strip().lower()
        if text not in {"", "true", "false"}:
            raise forms.ValidationError("expected true or false")
        return text == "true" if text else None


class FlagFilter(filters.BooleanFilter):
    """`?enabled=true` or `false`, in any case. What is neither is refused; django-filter would answer with everything."""

    field_class = FlagField

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"widget": forms.TextInput, **options})
