"""The ASGI door: devices under /api/v1/{token}/, WebSockets at /api/ws, Prometheus at /metrics, Django for the rest."""

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thingsboard.settings")

django = get_asgi_application()

# After Django is set up, because they import models.
from rules.api import call_desk  # noqa: E402
from telemetry.live import consumer  # noqa: E402
from tenants.services.session_cache import cache as sessions  # noqa: E402
from thingsboard.transports.http import metrics  # noqa: E402
from thingsboard.transports.http.app import DeviceApi, addressed  # noqa: E402
from thingsboard.transports.uplink import Ingest  # noqa: E402

Message = MutableMapping[str, Any]

devices = DeviceApi(Ingest)
numbers = metrics.MetricsApp(devices)
live = consumer.LiveConsumer.as_asgi()
rule_calls = call_desk.CallDesk(django)  # type: ignore[arg-type]

_news: "asyncio.Task[None] | None" = None


def hear_of_ended_sessions() -> None:
    """Listen to the bus on this loop, from the first request on: Daphne has no hook that would call it earlier."""
    global _news
    if _news is None or _news.done():
        _news = asyncio.create_task(sessions.listen(), name="news of sessions")


async def application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Serve one connection. Devices do not pass Django, whose handler would take most of their time."""
    if scope["type"] == "http" and addressed(scope["path"]) is not None:
        await devices(scope, receive, send)
    elif scope["type"] == "http" and scope["path"] == metrics.PATH:
        await numbers(scope, receive, send)
    elif scope["type"] == "websocket":
        hear_of_ended_sessions()
        if consumer.addressed(scope["path"]):
            await live(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close"})  # before it was accepted: 403
    elif scope["type"] == "http" and call_desk.addressed(scope["path"]):
        hear_of_ended_sessions()
        await rule_calls(scope, receive, send)
    else:
        hear_of_ended_sessions()
        await django(scope, receive, send)  # type: ignore[arg-type]
