"""What goes out over one socket: answers in order, and subscriptions that have something to tell, each in its turn.

One frame at a time: the next is made when the client has confirmed the one before, so a client that reads slowly gets
fewer and fuller frames, and nothing piles up for one that does not read. A subscription's first change after a pause goes
at once, then at most one frame every TB_WS_UPDATE_SECONDS (architecture.md 2, "Conflation").
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from telemetry.live.database import in_database
from telemetry.live.frames import too_many_frame
from telemetry.live.limits import UpdateRate
from telemetry.live.subscriptions import Subscription
from thingsboard.kernel.errors import NotFound

log = logging.getLogger(__name__)

MOST_BYTES = 64 * 1024 * 1024  # of answers that wait
RETRY_SECONDS = 1.0  # after the database could not be asked

# Sends a frame and returns when the client has confirmed it.
Send = Callable[[str], Awaitable[None]]


class QueueFull(Exception):
    """More answers wait for the client than may."""


class Outgoing:
    """Belongs to one socket. `run` is its one sender."""

    def __init__(self, send: Send, ended: Callable[[Subscription], None]) -> None:
        """`ended` is told of a subscription that turned out not to be allowed any more."""
        self._send, self._ended = send, ended
        self._answers: deque[tuple[int, str]] = deque()
        self._bytes = 0
        self._marked: dict[Subscription, None] = {}
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._complained = False
        self.most = settings.TB_WS_MAX_QUEUE
        self.rate = UpdateRate("")
        self.user: Any = None

    def answer(self, cmd_id: int, frame: str) -> None:
        """Send a frame as soon as it is its turn. Raises QueueFull."""
        self._bytes += len(frame)
        self._answers.append((cmd_id, frame))
        if len(self._answers) > self.most or self._bytes > MOST_BYTES:
            raise QueueFull
        self._wake.set()

    def mark(self, subscription: Subscription) -> None:
        """It has something to tell."""
        if subscription.begun and subscription not in self._marked:
            self._marked[subscription] = None
            self._wake.set()

    def forget(self, subscription: Subscription) -> None:
        """It is over: nothing of it is sent any more, except answers."""
        subscription.begun = False
        self._marked.pop(subscription, None)

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self._wake.clear()
            if self._answers:
                await self._allowed(self._answers[0][0])
                _, frame = self._answers.popleft()
                self._bytes -= len(frame)
                await self._send(frame)
                continue
            subscription = self._next()
            if subscription is None:
                await self._wake.wait()
                continue
            await self._allowed(subscription.cmd_id)
            if subscription not in self._marked:  # it ended while it had to wait
                continue
            del self._marked[subscription]
            later = subscription.due = self._loop.time() + settings.TB_WS_UPDATE_SECONDS
            told = await self._frame(subscription)
            if told is not None:
                await self._send(told)
            else:
                subscription.due = min(later, self._loop.time())

    def _next(self) -> Subscription | None:
        """The subscription whose turn it is, or None, and then a timer is set for the first whose turn comes."""
        if not self._marked:
            return None
        first = min(self._marked, key=_due)
        now = self._loop.time()
        if first.due <= now:
            return first
        self._loop.call_at(first.due, self._wake.set)
        return None

    async def _frame(self, subscription: Subscription) -> str | None:
        """What it has to tell; where news were lost, the store is asked."""
        if not subscription.stale:
            return subscription.take()
        subscription.stale = False
        question = subscription.question()
        try:
            found = await in_database(subscription.read, self.user, question)
        except NotFound:
            self._ended(subscription)
            return None
        except Exception:
            log.exception("A subscription could not be read anew; it is tried again.")
            self._loop.call_later(RETRY_SECONDS, self._again, subscription)
            return None
        if not subscription.begun:  # it ended meanwhile
            return None
        told = subscription.catch_up(found, question)
        self.mark(subscription)  # for what came meanwhile
        return told

    def _again(self, subscription: Subscription) -> None:
        subscription.missed()
        self.mark(subscription)

    async def _allowed(self, cmd_id: int) -> None:
        """Wait until the tenant profile's rate allows another frame; the client is told once that it has to wait.

        ThingsBoard drops what is too much. Here it waits and conflates, so that the last value is always shown in the end.
        """
        wait = self.rate.pause()
        if not wait:
            self._complained = False
        while wait:
            if not self._complained:
                self._complained = True
                await self._send(too_many_frame(cmd_id))
            await asyncio.sleep(wait)
            wait = self.rate.pause()


def _due(subscription: Subscription) -> float:
    return subscription.due
