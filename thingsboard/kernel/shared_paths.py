"""Paths that both API families know: our resources stand under /api/ too, where ThingsBoard's meaning leaves room.

`GET /api/devices?deviceIds=...` is ThingsBoard's, `GET /api/devices` is ours: the parameters that ThingsBoard's endpoint
cannot do without decide, whether they are good or not, and nothing else does.

    urlpatterns += also_under_api(router.urls, {"devices": Theirs(DevicesByIds.as_view(), "deviceIds")})
"""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

Answering = Callable[..., HttpResponseBase]


class Theirs:
    """ThingsBoard's view of a path, and the query parameters of which any one says that it is meant."""

    def __init__(self, view: Answering, *parameters: str) -> None:
        self.view = view
        self.parameters = frozenset(parameters)


def also_under_api(ours: Iterable[Any], theirs: Mapping[str, Theirs]) -> list[URLPattern]:
    """The routes of a router of our own API once more, each giving way to what ThingsBoard means by the same route.

    Raises ValueError for a route of theirs that no route of ours shares: it would never be answered.
    """
    patterns: dict[str, URLPattern] = {str(pattern.pattern): pattern for pattern in ours}
    unknown = theirs.keys() - patterns.keys()
    if unknown:
        raise ValueError(f"No route of ours is called {', '.join(sorted(unknown))}.")
    return [path(route, _either(pattern.callback, theirs.get(route))) for route, pattern in patterns.items()]


def _either(ours: Any, theirs: Theirs | None) -> Any:
    @csrf_exempt  # both views look after that themselves
    @wraps(ours)
    def choose(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if theirs is not None and request.method == "GET" and not theirs.parameters.isdisjoint(request.GET):
            return theirs.view(request, *args, **kwargs)
        answer: HttpResponseBase = ours(request, *args, **kwargs)
        return answer

    choose.families = (ours, theirs and theirs.view)  # type: ignore[attr-defined]  # for whoever walks the routes
    del choose.cls  # type: ignore[attr-defined]  # our description of /api/v1 need not say it twice
    return choose
