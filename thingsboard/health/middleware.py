"""Answers the health checks before anything else: a probe comes by address, without TLS, and must not be refused."""

from collections.abc import Awaitable, Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import async_only_middleware

from .views import live, ready

_VIEWS = {"/health/live": live, "/health/ready": ready}


@async_only_middleware
def health_first(
    get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]],
) -> Callable[[HttpRequest], Awaitable[HttpResponseBase]]:
    """GET and HEAD of /health/live and /health/ready."""

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        view = _VIEWS.get(request.path_info)
        return await view(request) if view else await get_response(request)

    return middleware
