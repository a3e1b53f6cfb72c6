"""/api/v1/: where a person in a browser begins to look around."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework import viewsets
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from thingsboard.kernel.resources import Page

ROOT = "api/v1/"


class ApiRoot(viewsets.ViewSet):
    """The collections of our own API, each with its address."""

    name = "API"
    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer, Page]
    errors_have_detail = True

    def list(self, request: Request) -> Response:
        """`{"devices": "https://.../api/v1/devices", ...}`"""
        names = sorted(set(collections(get_resolver())))
        return Response({name: request.build_absolute_uri(f"/{ROOT}{name}") for name in names})


def collections(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """The names of the lists right under /api/v1/."""
    for entry in resolver.url_patterns:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver) and (path.startswith(ROOT) or ROOT.startswith(path)):
            yield from collections(entry, path)
        elif isinstance(entry, URLPattern) and _is_list(entry.callback):
            name = path.removeprefix(ROOT)
            if path.startswith(ROOT) and name and "<" not in name:
                yield name


def _is_list(callback: Any) -> bool:
    return getattr(callback, "actions", None) is not None and callback.actions.get("get") == "list"
