"""Every route of both API families, read off the URLconf: a new one is found without being told of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("get", "post", "put", "patch", "delete")

# Answers paths that no route has; the walk has nothing to do there.
NO_ROUTE = "api/<rest>"


@dataclass(frozen=True, order=True)
class Endpoint:
    """One method of one path, such as `GET api/device/<device_id>`."""

    path: str
    method: str
    twin: bool = False  # a resource of our own API, once more under /api/ (kernel/shared_paths.py)

    def __str__(self) -> str:
        return f"{self.method} {self.path}{' (ours)' if self.twin else ''}"

    @property
    def declared(self) -> str:
        """The path under which it is declared: a twin is what it is under /api/v1/."""
        return self.path.replace("api/", "api/v1/", 1) if self.twin else self.path

    @property
    def parameters(self) -> list[str]:
        """The names in its path."""
        return re.findall(r"<(\w+)>", self.path)

    @property
    def ours(self) -> bool:
        """Whether it has its errors from our own API, not from ThingsBoard's."""
        return self.twin or self.path.startswith("api/v1/")


def _patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, Any]]:
    for entry in resolver.url_patterns:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, path)
        elif isinstance(entry, URLPattern) and path.startswith("api/"):
            yield re.sub(r"<\w+:(\w+)>", r"<\1>", path), entry.callback


def _methods(callback: Any) -> set[str]:
    """What a view answers."""
    actions = getattr(callback, "actions", None)
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    allowed = getattr(view, "http_method_names", METHODS)
    return {
        method for method in METHODS if method in allowed and (method in actions if actions else hasattr(view, method))
    }


def _endpoints() -> Iterator[Endpoint]:
    found = [(path, callback) for path, callback in _patterns(get_resolver()) if path != NO_ROUTE]
    resources = {path: callback for path, callback in found if path.startswith("api/v1/")}
    for path, callback in found:
        if families := getattr(callback, "families", None):
            ours, theirs = families
            yield from (Endpoint(path, method.upper(), twin=True) for method in _methods(ours))
            if theirs:
                yield Endpoint(path, "GET")
            continue
        twin = resources.get(path.replace("api/", "api/v1/", 1)) is callback
        yield from (Endpoint(path, method.upper(), twin=twin) for method in _methods(callback))


ENDPOINTS = sorted(set(_endpoints()))
