"""What the serializers of our own API (/api/v1) share."""

from typing import Any

from django.db.models import NOT_PROVIDED
from rest_framework import serializers

LONGEST_TEXT = 16_384  # characters of a description or an address


class JsonObject(serializers.JSONField):
    """A JSON object."""

    default_error_messages = {"object": "expected an object"}

    def to_internal_value(self, data: Any) -> Any:
        """A dictionary. Raises ValidationError."""
        if not isinstance(data, dict):
            self.fail("object")
        return super().to_internal_value(data)


class EntitySerializer(serializers.ModelSerializer[Any]):
    """An entity. What a request leaves out is as in a new one: PUT replaces.

    `version` is what the caller last saw; the service refuses with 409 where it is no longer the present one. Unique names
    are the database's business, not a look before the write.
    """

    version = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1)

    def get_unique_together_validators(self) -> list[Any]:
        """None."""
        return []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """With the model's defaults."""
        members = {field.attname: field for field in self.Meta.model._meta.concrete_fields}  # type: ignore[attr-defined]
        for field in self._writable_fields:
            member = members.get(str(field.source))
            if member is None or not member.editable or str(field.source) in attrs:
                continue
            if member.default is not NOT_PROVIDED or member.null or member.blank:
                attrs[str(field.source)] = member.get_default()
        return attrs
