"""The ASGI door: devices under /api/v1/{token}/, Prometheus at /metrics, Django for everything else."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thingsboard.settings")

django = get_asgi_application()

# After Django is set up, because they import models.
from thingsboard.transports.http import metrics  # noqa: E402
from thingsboard.transports.http.app import DeviceApi, addressed  # noqa: E402
from thingsboard.transports.uplink import Ingest  # noqa: E402

Message = MutableMapping[str, Any]

devices = DeviceApi(Ingest)
numbers = metrics.MetricsApp(devices)


async def application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Serve one connection. Devices do not pass Django, whose handler would take most of their time."""
    if scope["type"] == "http" and addressed(scope["path"]) is not None:
        await devices(scope, receive, send)
    elif scope["type"] == "http" and scope["path"] == metrics.PATH:
        await numbers(scope, receive, send)
    else:
        await django(scope, receive, send)  # type: ignore[arg-type]
