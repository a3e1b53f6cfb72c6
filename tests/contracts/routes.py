"""Every route of both API families, read off the URLconf: a new one is found without being told of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Endpoint:
    """One method of one path, such as `GET api/device/<device_id>`."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """The names in its path."""
        return re.findall(r"<(\w+)>", self.path)

    @property
    def ours(self) -> bool:
        """Whether it has its errors from our own API, not from ThingsBoard's."""
        return self.path.startswith("api/v1/") or self.path in TWINS


def _patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, Any]]:
    for entry in resolver.url_patterns:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, path)
        elif isinstance(entry, URLPattern) and path.startswith("api/"):
            yield re.sub(r"<\w+:(\w+)>", r"<\1>", path), entry.callback


def _methods(callback: Any) -> set[str]:
    """What a view answers; a path of both families (kernel/shared_paths.py) what either of them does."""
    if families := getattr(callback, "families", None):
        return set().union(*(_methods(view) for view in families if view))
    actions = getattr(callback, "actions", None)
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    allowed = getattr(view, "http_method_names", METHODS)
    return {
        method for method in METHODS if method in allowed and (method in actions if actions else hasattr(view, method))
    }


_FOUND = list(_patterns(get_resolver()))
TWINS = {path for path, callback in _FOUND if hasattr(callback, "families")}
ENDPOINTS = sorted(
    {Endpoint(method.upper(), path) for path, callback in _FOUND for method in _methods(callback)},
    key=lambda endpoint: (endpoint.path, endpoint.method),
)
