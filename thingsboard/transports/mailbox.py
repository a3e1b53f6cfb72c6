"""What nodes tell each other over the bus: short messages, many in one publish, each of which may be lost.

A letter is {"from": node, kind: [item, ...], ...}; the kinds and their items are registry.py's and devices/services/calls.py's.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from typing import Any

from devices.services.calls import node_channel
from thingsboard.kernel import bus

log = logging.getLogger(__name__)

MOST_ITEMS = 50_000  # that wait to be sent; more are dropped
MOST_IN_LETTER = 1000

Read = Callable[[uuid.UUID, str, list[Any]], None]


class Mailbox:
    """`read(sender, kind, item)` is called for everything that arrives."""

    def __init__(self, node: uuid.UUID, read: Read, missed: Callable[[], None]) -> None:
        """`missed` is called when letters may have been lost."""
        self._node = node
        self._read = read
        self._out: dict[uuid.UUID, list[tuple[str, list[Any]]]] = {}
        self._count = 0
        self._sending: asyncio.Task[None] | None = None
        self.subscriber = bus.Subscriber([node_channel(node)], self._open, missed)

    def post(self, to: uuid.UUID, kind: str, item: list[Any]) -> None:
        """Send an item of JSON values; what is posted while another letter is on its way goes with the next."""
        if self._count >= MOST_ITEMS:
            return
        self._count += 1
        self._out.setdefault(to, []).append((kind, item))
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def close(self) -> None:
        """Send what is left, within a second."""
        if self._sending is not None:
            await asyncio.wait([self._sending], timeout=1)
            if self._sending is not None:
                self._sending.cancel()

    async def _send(self) -> None:
        try:
            while self._out:
                to = next(iter(self._out))
                items = self._out.pop(to)
                self._count -= len(items)
                for start in range(0, len(items), MOST_IN_LETTER):
                    letter: dict[str, Any] = {"from": str(self._node)}
                    for kind, item in items[start : start + MOST_IN_LETTER]:
                        letter.setdefault(kind, []).append(item)
                    await asyncio.to_thread(bus.publish, node_channel(to), letter)
        except Exception:
            log.exception("A letter to another node could not be sent.")
        finally:
            self._sending = None

    def _open(self, _channel: str, letter: dict[str, Any]) -> None:
        sender = uuid.UUID(letter.pop("from"))
        for kind, items in letter.items():
            for item in items:
                self._read(sender, kind, item)
