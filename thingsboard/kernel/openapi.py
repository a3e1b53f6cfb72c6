"""How the OpenAPI description is made of views that speak free JSON: most of ThingsBoard's shapes have no serializer."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from rest_framework.generics import GenericAPIView


class Schema(AutoSchema):
    """A view without serializers takes and gives JSON objects; its operations are named after their whole path."""

    def get_request_serializer(self) -> Any:
        """The form of the body."""
        return OpenApiTypes.OBJECT if self._free() else super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        """The form of the answer."""
        return OpenApiTypes.OBJECT if self._free() else super().get_response_serializers()

    def get_operation_id(self) -> str:
        """Unique: paths that differ in their variables alone are different operations."""
        if not self._free():
            return str(super().get_operation_id())
        words = re.findall(r"\w+", self.path)
        return "_".join((*words, self.method.lower()))

    def get_tags(self) -> list[str]:
        """By resource; ThingsBoard's paths apart from our own."""
        name = self.path.split("/")[3 if self.path.startswith("/api/v1/") else 2]
        ours = self.path.startswith("/api/v1/") or isinstance(self.view, GenericAPIView)
        return [name or "API"] if ours else [f"ThingsBoard: {name}"]

    def _free(self) -> bool:
        view: Any = self.view
        return not isinstance(view, GenericAPIView) or (
            view.serializer_class is None and type(view).get_serializer_class is GenericAPIView.get_serializer_class
        )
