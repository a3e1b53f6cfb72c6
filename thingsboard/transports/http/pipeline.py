"""From an HTTP request to a committed write: whose token it is, a place in the Batcher, and what became of it."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from django.conf import settings

from devices.services.credentials import DeviceIdentity, lookup_of
from thingsboard.kernel.batch import Batcher, Refused, Shard
from thingsboard.kernel.time import now_ms
from thingsboard.transports.activity import ActivityReporter
from thingsboard.transports.directory import Directory
from thingsboard.transports.http.withholding import Withholding
from thingsboard.transports.messages import Uplink, UplinkKind
from thingsboard.transports.revocation import listen
from thingsboard.transports.session import RUN_AHEAD_MS, DeviceSession
from thingsboard.transports.tokens import TokenCache

Settle = Callable[[Sequence[Uplink], Mapping[int, Refused]], None]

_started = time.monotonic()


class IngestPort(Protocol):
    """What is needed of `thingsboard.transports.uplink.Ingest`."""

    @property
    def batcher(self) -> Batcher[Uplink, Any]:
        """Whether it is full."""
        ...

    def shard(self, session: DeviceSession) -> Shard[Uplink, Any]:
        """Where this session's messages are appended."""
        ...

    def account(self, messages: int, size: int) -> bool:
        """Count appended messages and bytes."""
        ...

    def open(self, session: DeviceSession) -> None:
        """A session starts."""
        ...

    def close_session(self, session: DeviceSession) -> None:
        """A session ended."""
        ...

    async def close(self) -> bool:
        """Commit what is queued; False when that did not end in time."""
        ...


MakeIngest = Callable[[Settle, Callable[[], None]], IngestPort]


class Overloaded(Exception):
    """Too much waits for the database already."""


class TooFast(Exception):
    """One device has more on its way than its stamps may run ahead of the clock."""


class Ticket:
    """One message on its way; `answer` is None once it is committed, or why it was refused."""

    __slots__ = ("answer", "presence")

    def __init__(self, presence: "_Presence") -> None:
        self.presence = presence
        self.answer: asyncio.Future[Refused | None] = asyncio.get_running_loop().create_future()

    async def last_chance(self, seconds: float) -> Refused | None:
        """The answer after the task that waited for it was cancelled. Raises TimeoutError after `seconds`."""
        if self.answer.cancelled():
            self.answer = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(seconds):
            return await self.answer


class _Presence:
    """A device while it has requests on their way: they share a session, and so a clock."""

    __slots__ = ("requests", "session")

    def __init__(self, session: DeviceSession) -> None:
        self.session = session
        self.requests = 0


class Pipeline:
    """Belongs to one event loop. `start` it there before the first message, `close` it at the end."""

    def __init__(self, make_ingest: MakeIngest) -> None:
        self.ingest = make_ingest(self._settle, self._room)
        self._directory = Directory("thingsboard http")
        self.tokens = TokenCache(
            self._directory.ask,
            seconds=settings.TB_TOKEN_CACHE_SECONDS,
            size=settings.TB_TOKEN_CACHE_SIZE,
            window=settings.TB_TOKEN_MISS_WINDOW,
        )
        self.activity = ActivityReporter("thingsboard http activity")
        self.withholding = Withholding()
        self._present: dict[bytes, _Presence] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._waiting_bytes = 0
        self._loop = asyncio.get_running_loop()
        self._listener = self._loop.create_task(listen(lambda _, lookup: self.tokens.forget(lookup), self.tokens.clear))

    async def start(self) -> None:
        """Wait until stamps that a killed predecessor gave ahead of the clock are past (as the mqtt process does)."""
        self.activity.start()
        await self.withholding.watch.start()
        await asyncio.sleep(_started + RUN_AHEAD_MS / 1000 - time.monotonic())

    async def identify(self, token: str) -> DeviceIdentity | None:
        """The device of an access token, None when it is nobody's. Raises Unavailable."""
        identity = await self.tokens.find(lookup_of(token))
        if identity is None or identity.credentials_type != "ACCESS_TOKEN":
            return None
        self.activity.heard(identity.device_id)
        return identity

    async def submit(self, identity: DeviceIdentity, kind: UplinkKind, payload: bytes) -> Ticket:
        """Put a message on its way, waiting for room. Raises Overloaded, TooFast.

        Once it returned, the message may be stored even if nobody waits for the ticket's answer.
        """
        size = len(payload)
        while self.ingest.batcher.full:
            await self._wait(size)
        presence = self._enter(identity)
        ticket = Ticket(presence)
        shard = self.ingest.shard(presence.session)
        shard.queue.append(Uplink(presence.session, kind, payload, now_ms(), ticket))
        shard.kick()
        self.ingest.account(1, size)
        return ticket

    async def close(self) -> bool:
        """Commit what is queued; False when that did not end in time."""
        self._listener.cancel()
        await asyncio.gather(self._listener, return_exceptions=True)
        try:
            return await self.ingest.close()
        finally:
            await self.withholding.watch.close()
            await self.activity.close()
            await self._directory.close()

    async def _wait(self, size: int) -> None:
        """Until there may be room. What waits is bounded like what is on its way."""
        most = settings.TB_INGEST_MAX_PENDING_BYTES
        if len(self._waiting) >= settings.TB_INGEST_MAX_PENDING or self._waiting_bytes + size > most:
            raise Overloaded
        place: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(place)
        self._waiting_bytes += size
        try:
            await place
        finally:
            self._waiting_bytes -= size
            if place.cancelled():
                self._waiting.remove(place)

    def _room(self) -> None:
        """The Batcher has emptied to the half: whoever waits looks again, in the order in which they came."""
        waiting, self._waiting = self._waiting, deque()
        for place in waiting:
            if not place.done():
                place.set_result(None)

    def _enter(self, identity: DeviceIdentity) -> _Presence:
        entity = identity.device_id.bytes
        presence = self._present.get(entity)
        if presence is None:
            session = DeviceSession(identity.tenant_id, identity.device_id, identity.profile_id)
            self.ingest.open(session)
            presence = _Presence(session)
        # Each message on its way may take a stamp, a millisecond; `start` relies on their limit.
        if max(0, presence.session.clock.ahead_ms()) + presence.requests >= RUN_AHEAD_MS:
            if not presence.requests:
                self.ingest.close_session(presence.session)
            raise TooFast
        presence.requests += 1
        self._present[entity] = presence
        return presence

    def _settle(self, batch: Sequence[Uplink], refusals: Mapping[int, Refused]) -> None:
        """A batch is committed."""
        for index, message in enumerate(batch):
            ticket: Ticket = message.ticket
            if not ticket.answer.done():
                ticket.answer.set_result(refusals.get(index))
            presence = ticket.presence
            presence.requests -= 1
            if not presence.requests:
                del self._present[presence.session.entity]
                self.ingest.close_session(presence.session)
