"""Waits for answers of the rule chains: on the event loop, before Django, so that a caller who waits holds no thread.

Each request gets a seat before Django sees it, whose id is that of the call: the answer may come before Django's own has.
"""

import asyncio
import logging
import threading
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import orjson
from django.conf import settings
from django.http import HttpRequest

from rules.engine.replies import CALL_CHANNEL
from thingsboard.kernel.bus import Subscriber
from thingsboard.kernel.errors import NotAvailable, PlatformError, TooMany

log = logging.getLogger(__name__)

PREFIX: Final = "/api/rule-engine/"
LISTEN_SECONDS: Final = 2.0  # for the first call of a process: the bus must listen before anything is queued
_SEAT: Final = "thingsboard.rule_call"
_OWN_HEADERS: Final = frozenset({b"content-length", b"content-type"})

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class TimedOut(PlatformError):
    """Nobody answered in time."""

    status = 408


class Seat:
    """Of one call. `take` is said in Django's thread, the rest on the loop."""

    def __init__(self, id: uuid.UUID, service: str, desk: "CallDesk | None" = None) -> None:
        self.id, self.service = id, service
        self.tenant_id: uuid.UUID | None = None
        self.seconds = 0.0
        self.reachable = True
        self.answer: asyncio.Future[str] | None = None
        self._desk = desk

    def take(self, tenant_id: uuid.UUID, seconds: float) -> None:
        """The call is about to be queued; wait for its answer for so long. Raises TooMany, NotAvailable."""
        if self._desk is not None:
            self._desk.take(self, tenant_id)
        self.tenant_id, self.seconds = tenant_id, seconds


def seat_of(request: HttpRequest) -> Seat | None:
    """The seat of the request; None where nobody waits."""
    found: Seat | None = getattr(request, "scope", {}).get(_SEAT)
    return found


def addressed(path: str) -> bool:
    """Whether a request is for here."""
    return path.startswith(PREFIX)


class CallDesk:
    """An ASGI application around Django's. Of one process."""

    def __init__(self, app: App) -> None:
        self.service = f"web-{uuid.uuid4().hex[:16]}"
        self._app = app
        self._waiting: dict[uuid.UUID, Seat] = {}
        self._tenants: Counter[uuid.UUID] = Counter()
        self._lock = threading.Lock()
        self._subscriber: Subscriber | None = None
        self._listener: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many calls wait."""
        return len(self._waiting)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Django's answer, or that of the chains where it queued a call."""
        seat = Seat(uuid.uuid4(), self.service, self)
        seat.answer = asyncio.get_running_loop().create_future()
        seat.reachable = await self._listening()
        held: list[Message] = []

        async def hold(message: Message) -> None:
            if seat.tenant_id is None:
                await send(message)
            else:
                held.append(message)

        try:
            await self._app({**scope, _SEAT: seat}, receive, hold)
            if not held:
                return  # Django answered itself, or the caller is gone
            if held[0]["status"] != 200:
                for message in held:
                    await send(message)
                return
            status, body = await _wait(seat, receive)
            headers = [each for each in held[0].get("headers", ()) if each[0].lower() not in _OWN_HEADERS]
            headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        finally:
            self._leave(seat)

    def take(self, seat: Seat, tenant_id: uuid.UUID) -> None:
        """Count one that is going to wait; see `Seat.take`."""
        if not seat.reachable:
            raise NotAvailable("No answers of the rule engine can be heard now, try again later.")
        with self._lock:
            if len(self._waiting) >= settings.TB_RULE_CALLS:
                raise NotAvailable("Too many calls wait for the rule engine, try again later.")
            if self._tenants[tenant_id] >= settings.TB_RULE_CALLS_PER_TENANT:
                raise TooMany("Too many calls of your tenant wait for its rule chains.")
            self._tenants[tenant_id] += 1
            self._waiting[seat.id] = seat

    def _leave(self, seat: Seat) -> None:
        with self._lock:
            if self._waiting.pop(seat.id, None) is not None and seat.tenant_id is not None:
                self._tenants[seat.tenant_id] -= 1
                if not self._tenants[seat.tenant_id]:
                    del self._tenants[seat.tenant_id]

    def _heard(self, channel: str, payload: dict[str, Any]) -> None:
        """An answer; one for somebody else, or too late, is nobody's."""
        try:
            seat = self._waiting.get(uuid.UUID(str(payload.get("requestId"))))
        except ValueError:
            return
        if seat is None or seat.answer is None or seat.answer.done():
            return
        if payload.get("tenantId") != str(seat.tenant_id):
            log.warning("An answer of another tenant to the call %s is ignored.", seat.id)
            return
        seat.answer.set_result(str(payload.get("data")))

    async def _listening(self) -> bool:
        """Listen on this loop from the first call on; whether it does."""
        if self._listener is None or self._listener.done() or self._subscriber is None:
            self._subscriber = Subscriber([CALL_CHANNEL + self.service], self._heard)
            self._listener = asyncio.create_task(self._subscriber.run(), name="answers of rule chains")
        try:
            async with asyncio.timeout(LISTEN_SECONDS):
                await self._subscriber.ready.wait()
        except TimeoutError:
            return False
        return True


async def _wait(seat: Seat, receive: Receive) -> tuple[int, bytes]:
    """Status and body: the answer as JSON; 408 where there is none in time, 406 where it is no JSON, as in ThingsBoard."""
    assert seat.answer is not None  # noqa: S101 - made with the seat
    gone = asyncio.ensure_future(_disconnected(receive))
    either: set[asyncio.Future[Any]] = {seat.answer, gone}
    try:
        await asyncio.wait(either, timeout=seat.seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
    if not seat.answer.done():
        return 408, b""
    body = seat.answer.result().encode()
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return 406, b""
    return 200, body


async def _disconnected(receive: Receive) -> None:
    """Return when the caller does not want to know any more."""
    while (await receive())["type"] != "http.disconnect":
        pass
