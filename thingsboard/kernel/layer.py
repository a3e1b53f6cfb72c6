"""The Channels layer between processes, with bounds and with news of what was lost (architecture.md 2, "Channels").

channels_redis' pub/sub layer keeps whatever a reader does not take, without a bound, and reconnects without a word. This
one empties a queue that is full, and tells the queue's reader of that and of every reconnect: whoever listens reads anew
what it may have missed. `broadcast` is for threads, which have no event loop: one message, encoded once.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import redis
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer, RedisSingleShardConnection
from channels_redis.utils import _wrap_close, decode_hosts
from redis.asyncio.client import PubSub

from thingsboard.kernel import bus

log = logging.getLogger(__name__)

CAPACITY = 1000  # messages that wait for one reader
SILENCE_SECONDS = 1.0
FIRST_PAUSE = 0.05  # seconds before the first reconnect, doubled up to LONGEST_PAUSE
LONGEST_PAUSE = 2.0

Lost = Callable[[], None]


class BoundedLayer(RedisPubSubChannelLayer):
    """The layer of settings.CHANNEL_LAYERS."""

    def _get_layer(self) -> "LoopLayer":
        """The running loop's own connection, made when it is first asked for."""
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = LoopLayer(*self._args, **self._kwargs, channel_layer=self)
            _wrap_close(self, loop)
        found: LoopLayer = self._layers[loop]
        return found

    def watch(self, channel: str, lost: Lost) -> None:
        """Have `lost()` called when messages to this channel of ours may be missing."""
        self._get_layer().watchers[channel] = lost

    async def leave(self, channel: str) -> None:
        """Forget a channel of ours and what waits in it."""
        await self._get_layer().leave(channel)

    def group_channel(self, group: str) -> str:
        """What the group is called in Redis."""
        return f"{self._kwargs['prefix']}__group__{group}"


class LoopLayer(RedisPubSubLoopLayer):
    """One event loop's part of it."""

    def __init__(self, *args: Any, capacity: int = CAPACITY, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.capacity = capacity
        self.watchers: dict[str, Lost] = {}
        self._shards = [Shard(host, self) for host in decode_hosts(kwargs.get("hosts"))]

    async def _subscribe_to_channel(self, channel: str) -> None:
        self.channels[channel] = asyncio.Queue(self.capacity)
        try:
            await self._get_shard(channel).subscribe(channel)
        except BaseException:
            del self.channels[channel]
            raise

    async def leave(self, channel: str) -> None:
        """Leave all groups, then the channel itself."""
        self.watchers.pop(channel, None)
        prefix = self._get_group_channel_name("")
        for group in [name for name, members in self.groups.items() if channel in members]:
            await self.group_discard(group.removeprefix(prefix), channel)
        if self.channels.pop(channel, None) is not None:
            await self._get_shard(channel).unsubscribe(channel)

    def lost(self, *channels: str) -> None:
        """Tell the readers of these channels, of all when none is named."""
        for channel in channels or list(self.watchers):
            if channel in self.watchers:
                self.watchers[channel]()


class _Listening(PubSub):
    """Says when it is connected again: the library subscribes anew by itself, what was published meanwhile is gone."""

    again: Lost

    async def on_connect(self, connection: Any) -> None:
        await super().on_connect(connection)
        self.again()


class Shard(RedisSingleShardConnection):
    """One connection to one Redis."""

    def _ensure_redis(self) -> None:
        if self._redis is None:
            super()._ensure_redis()
            connection: Any = self._redis
            self._pubsub = _Listening(connection.connection_pool)
            self._pubsub.again = self.channel_layer.lost

    async def _do_receiving(self) -> None:
        """As the library's; a Redis that is away is one line in the log, and asked again soon."""
        pause = FIRST_PAUSE
        while True:
            try:
                if self._pubsub is None or not self._pubsub.subscribed:
                    await asyncio.sleep(FIRST_PAUSE)
                    continue
                self._receive_message(
                    await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=SILENCE_SECONDS)
                )
                pause = FIRST_PAUSE
            except (redis.RedisError, OSError) as error:
                log.warning("The channel layer is away, next try in %.2f s: %s", pause, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _receive_message(self, message: dict[str, Any] | None) -> None:
        """Into the queues; one that is full is emptied, and its reader told."""
        if message is None:
            return
        name = message["channel"].decode()
        layer: LoopLayer = self.channel_layer
        for channel in (name,) if name in layer.channels else tuple(layer.groups.get(name, ())):
            queue = layer.channels.get(channel)
            if queue is None:
                continue
            if queue.full():
                log.warning("A reader of the channel layer is too slow: %d messages are dropped.", queue.qsize())
                while not queue.empty():
                    queue.get_nowait()
                layer.lost(channel)
            queue.put_nowait(message["data"])


def broadcast(group: str, message: dict[str, Any]) -> bool:
    """Send to everybody in a group, from a thread; False when that failed. Blocks for at most about a second."""
    layer: BoundedLayer = get_channel_layer()
    return bus.send(layer.group_channel(group), layer.serialize(message))
