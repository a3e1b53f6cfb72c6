"""The web process' one ear: news of telemetry to the subscriptions that watch it, news of rights to the sockets.

It holds the process' only channel of the channel layer. Publishers hear from it which entities are watched
(telemetry.interest). Where news may have been lost, every subscription reads its snapshot anew.
"""

import asyncio
import logging
import uuid
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from django.conf import settings

from telemetry.fanout import fanout
from telemetry.interest import ANNOUNCE_SECONDS, CHANNEL, GROUP, announcement, group_of
from telemetry.live import rights
from telemetry.live.limits import Places
from telemetry.live.subscriptions import Subscription
from telemetry.text import text
from tenants.services.session_cache import CHANNEL as SESSIONS
from thingsboard.kernel import bus
from thingsboard.kernel.layer import BoundedLayer

log = logging.getLogger(__name__)

SETTLE_SECONDS = 0.1  # after a reconnect, until the subscription to the channel is certain
PAUSE_SECONDS = 1.0


class Full(Exception):
    """The process watches as many entities as it may."""


class Socket(Protocol):
    """What the hub knows of a socket."""

    user: Any

    def has_news(self, subscription: Subscription) -> None:
        """Something of the subscription's changed."""
        ...

    def doubt(self) -> None:
        """The user's rights may have changed: ask for them anew."""
        ...


class Hub:
    """One of each process, on the event loop that serves its sockets."""

    def __init__(self) -> None:
        self.node = uuid.uuid4().hex
        self.places = Places()
        self.sockets: set[Socket] = set()
        self.losses = 0  # times that everybody read anew, the beginning included
        self._watching: dict[bytes, dict[Subscription, Socket]] = {}
        self._fresh: set[bytes] = set()  # watched, and not announced yet
        self._young: set[bytes] = set()  # announced a moment ago: somebody may not have heard in time
        self._told: asyncio.Future[None] | None = None
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Listen from now on; done by whoever opens the first socket."""
        if not self._tasks:
            fanout.start()
            jobs = {
                "live news": self._hear(),
                "live interest": self._announce(),
                "live rights": self._hear_of_rights(),
                "live rights, from time to time": self._ask_from_time_to_time(),
                "who watches live": fanout.interest.listen(),
            }
            self._tasks = [asyncio.create_task(job, name=name) for name, job in jobs.items()]

    async def watch(self, subscription: Subscription, socket: Socket) -> None:
        """Have the subscription hear of its entities; once this returns, publishers have been told. Raises Full."""
        ids = [entity.id.bytes for entity in subscription.entities()]
        new = [each for each in ids if each not in self._watching]
        if len(self._watching) + len(new) > settings.TB_WS_MAX_WATCHED:
            raise Full
        for each in ids:
            self._watching.setdefault(each, {})[subscription] = socket
        if new or self._fresh.intersection(ids):
            self._fresh.update(new)
            if self._told is None:
                self._told = asyncio.get_running_loop().create_future()
            self._wake.set()
            await asyncio.shield(self._told)

    def unwatch(self, subscription: Subscription, ids: Iterable[bytes]) -> None:
        """The subscription is over, or no longer about these entities."""
        for each in ids:
            watchers = self._watching.get(each)
            if watchers is not None:
                watchers.pop(subscription, None)
                if not watchers:
                    del self._watching[each]

    @property
    def subscriptions(self) -> int:
        """How many there are."""
        return len({each for watchers in self._watching.values() for each in watchers})

    @property
    def watched(self) -> int:
        """How many entities are watched."""
        return len(self._watching)

    def missed(self) -> None:
        """News may have been lost: everybody reads anew."""
        self.losses += 1
        for watchers in list(self._watching.values()):
            _outdate(watchers)

    async def _hear(self) -> None:
        layer: BoundedLayer = get_channel_layer()
        while True:
            channel = ""
            try:
                channel = await layer.new_channel()
                layer.watch(channel, self._lost)
                await layer.group_add(group_of(self.node), channel)
                await layer.group_add(GROUP, channel)
                self.missed()
                while True:
                    self._read(await layer.receive(channel))
                    await asyncio.sleep(0)  # what waits already would not let anybody else have a turn
            except Exception as error:
                log.warning("Live news cannot be heard, next try in %.0f s: %s", PAUSE_SECONDS, error)
                await asyncio.sleep(PAUSE_SECONDS)
                with suppress(Exception):
                    await layer.leave(channel)

    def _lost(self) -> None:
        asyncio.get_running_loop().call_later(SETTLE_SECONDS, self.missed)

    def _read(self, message: dict[str, Any]) -> None:
        """A message of telemetry.fanout."""
        if message.get("lost"):
            self.missed()
            return
        for entity, scope, ts, values in message["news"]:
            watchers = self._watching.get(entity)
            if watchers:
                texts = {key: text(value) for key, value in values.items()}
                for subscription, socket in watchers.items():
                    if subscription.changed(entity, scope, ts, texts):
                        socket.has_news(subscription)

    async def _announce(self) -> None:
        """Say what is new at once, and everything from time to time; then have those look again that may have missed news."""
        loop = asyncio.get_running_loop()
        whole_at = loop.time()
        while True:
            whole = loop.time() >= whole_at
            fresh, self._fresh = self._fresh, set()
            told, self._told = self._told, None
            self._wake.clear()
            if whole:
                whole_at = loop.time() + ANNOUNCE_SECONDS
            if fresh or (whole and self._watching):
                word = announcement(self.node, list(self._watching) if whole else fresh, whole=whole)
                await asyncio.to_thread(bus.publish, CHANNEL, word)
            if told is not None:
                told.set_result(None)
            if whole:
                self._look_again(self._young)
                self._young = set()
            self._young |= fresh
            try:
                async with asyncio.timeout_at(whole_at):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _look_again(self, ids: Iterable[bytes]) -> None:
        for each in ids:
            _outdate(self._watching.get(each, {}))

    async def _hear_of_rights(self) -> None:
        await bus.Subscriber([SESSIONS, rights.CHANNEL], self._rights_changed, self._doubt_everybody).run()

    def _rights_changed(self, channel: str, word: dict[str, Any]) -> None:
        if channel == SESSIONS:
            user_id = uuid.UUID(word["userId"])
            for socket in [each for each in self.sockets if each.user is not None and each.user.pk == user_id]:
                socket.doubt()
            return
        tenant_id, entities = rights.read(word)
        for socket in self.sockets.copy() if entities is None else self._who_watches(entities):
            if socket.user is not None and tenant_id in (None, socket.user.tenant_id):
                socket.doubt()

    def _who_watches(self, entities: Collection[uuid.UUID]) -> set[Socket]:
        return {socket for each in entities for socket in self._watching.get(each.bytes, {}).values()}

    async def _ask_from_time_to_time(self) -> None:
        """News may be lost, and a change may have been made without any."""
        while True:
            await asyncio.sleep(settings.TB_WS_RECHECK_SECONDS)
            for socket in list(self.sockets):
                socket.doubt()
                await asyncio.sleep(min(0.01, settings.TB_WS_RECHECK_SECONDS / max(1, len(self.sockets))))

    def _doubt_everybody(self) -> None:
        for socket in list(self.sockets):
            socket.doubt()


def _outdate(watchers: dict[Subscription, Socket]) -> None:
    for subscription, socket in watchers.items():
        subscription.missed()
        socket.has_news(subscription)


_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def hub() -> Hub:
    """The running loop's."""
    loop = asyncio.get_running_loop()
    found = _hubs.get(loop)
    if found is None:
        found = _hubs[loop] = Hub()
    return found
