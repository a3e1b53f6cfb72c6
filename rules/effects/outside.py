"""What an effects worker gives to the work of a node; implements rules.node.outside.Outside."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Hashable, Mapping
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from django.conf import settings as django_settings
from django.db import close_old_connections

from rules.effects.shared import SharedClients
from tenants.models import SystemSetting
from thingsboard.kernel.outgoing.configured import guard

R = TypeVar("R")

BELIEVED_S = 10.0
MOST_REMEMBERED = 100


class SystemSettings:
    """Settings of the platform, asked for by a thread of their own and believed for some seconds. Of one event loop."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._known: dict[str, tuple[float, Mapping[str, Any] | None]] = {}

    async def get(self, name: str) -> Mapping[str, Any]:
        """See Outside.system."""
        until, value = self._known.get(name, (float("-inf"), None))
        if time.monotonic() >= until:
            value = await asyncio.get_running_loop().run_in_executor(self._executor, _read, name)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[name] = time.monotonic() + BELIEVED_S, value
        if value is None:
            raise ValueError(f"The platform has no settings {name!r}: the system administrator makes them.")
        return value


def _read(name: str) -> Mapping[str, Any] | None:
    close_old_connections()
    found: Mapping[str, Any] | None = SystemSetting.objects.filter(key=name).values_list("value", flat=True).first()
    return found


class OutsideWork:
    """For one try of one work."""

    def __init__(
        self, tenant_id: uuid.UUID, key: uuid.UUID, attempt: int, clients: SharedClients, settings: SystemSettings
    ) -> None:
        self.tenant_id, self.key, self.attempt = tenant_id, key, attempt
        self.guard, self.slack_url = guard(), django_settings.TB_SLACK_URL
        self._clients, self._settings = clients, settings

    def shared(
        self, key: Hashable, make: Callable[[], Awaitable[R]], close: Callable[[R], Awaitable[None]]
    ) -> AbstractAsyncContextManager[R]:
        """See Outside."""
        return self._clients.use(self.tenant_id, key, make, close)

    async def system(self, name: str) -> Mapping[str, Any]:
        """See Outside."""
        return await self._settings.get(name)
