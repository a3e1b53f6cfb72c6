"""One socket of /api/ws, as a Channels consumer: who it is, what it says, when it is closed (compat/websocket.md 1)."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import unquote

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from telemetry.live import commands
from telemetry.live.commands import Message
from telemetry.live.database import in_database
from telemetry.live.desk import Desk
from telemetry.live.frames import Fault, error_frame
from telemetry.live.hub import hub
from telemetry.live.limits import SESSIONS, NoRoom, Place, UpdateRate, configuration_of
from telemetry.live.outgoing import Outgoing, QueueFull
from telemetry.live.reads import visible_ids
from telemetry.live.subscriptions import Subscription, by_kind
from tenants.auth.jwt import REFRESH_SCOPE, user_of, verified
from tenants.models import User
from tenants.services.session_cache import cache
from thingsboard.kernel.errors import Unauthenticated
from thingsboard.kernel.ids import EntityId

log = logging.getLogger(__name__)

PATH = "/api/ws"
PLUGINS = f"{PATH}/plugins/"
READERS: dict[str, Callable[[str], Message]] = {
    PATH: commands.message,
    f"{PLUGINS}telemetry": commands.telemetry_message,
    f"{PLUGINS}notifications": commands.notification_message,
}
UNSUPPORTED, BAD_DATA, POLICY, SERVER_ERROR, RESTARTED = 1003, 1007, 1008, 1011, 1012
FULL = "Max pending updates limit reached!"
# What our web server adds to ASGI: a message with "confirmed" has that called when the client has read it.
CONFIRM = "thingsboard.confirm"


def addressed(path: str) -> bool:
    """Whether a path is ours, a wrong one below it included."""
    return path.rstrip("/") == PATH or path.startswith(f"{PATH}/")


class LiveConsumer(AsyncWebsocketConsumer):
    """Marks, and lets its one sender send. The process' hub hears for all sockets, so it has no channel of its own."""

    channel_layer_alias = "none"

    async def __call__(self, *door: Any) -> None:
        """Serve it to its end, that of the server included."""
        self._over = True
        try:
            await super().__call__(*door)
        finally:
            if not self._over:
                self._leave()

    async def connect(self) -> None:
        """Let everybody in: why somebody may not stay is said by the code with which it is closed."""
        self.user: User | None = None
        self._claims: dict[str, Any] = {}
        self._desk: Desk | None = None
        self._places: list[Place] = []
        self._sender: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._doubtful = False
        self._over = False
        self._out = Outgoing(self._send, self._lost_sight)
        self._confirms = CONFIRM in (self.scope.get("extensions") or {})
        self._impatience = asyncio.get_running_loop().call_later(settings.TB_WS_AUTH_TIMEOUT, self._hurry)
        await self.accept()
        reader = READERS.get(self.scope["path"].rstrip("/"))
        if reader is None:
            await self._end(BAD_DATA, "Unknown session type")
            return
        self._read = reader
        _, given, token = self.scope["query_string"].decode("latin-1").rpartition("token=")
        if given:
            await self._authenticate(unquote(token), SERVER_ERROR)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A message of the client."""
        if self._over:
            return
        if text_data is None:
            await self._end(UNSUPPORTED, "Expected text frames")
            return
        try:
            message = self._read(text_data)
        except (ValueError, RecursionError):
            if self.user is None:
                await self._end(BAD_DATA, "Failed to parse the payload")
            else:
                await self._do(self._refuse_message())
            return
        if self.user is None:
            if message.token is None:
                await self._end(POLICY, "Auth cmd is missing")
                return
            await self._authenticate(message.token, BAD_DATA)
        await self._do(self._work(message))

    async def disconnect(self, code: int) -> None:
        """It is gone."""
        self._leave()

    # What the hub says (telemetry.live.hub.Socket).

    def has_news(self, subscription: Subscription) -> None:
        """Something of the subscription's changed."""
        self._out.mark(subscription)

    def doubt(self) -> None:
        """Ask again who the user is and what it may see; once more if that is being asked already."""
        if self._over or self.user is None:
            return
        self._doubtful = True
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._ask_again())

    # Coming and going.

    async def _authenticate(self, token: str, refusal: int) -> None:
        try:
            user, claims, configuration = await in_database(_user_of_token, token)
        except Unauthenticated as error:
            await self._end(refusal, error.message)
            return
        if self._over:
            return
        self._impatience.cancel()
        ours = hub()
        ours.start()
        try:
            self._places = ours.places.take(SESSIONS, user, configuration)
        except NoRoom as error:
            await self._end(POLICY, str(error))
            return
        self.user = self._out.user = user
        self._claims = claims
        self._out.most = configuration.get("wsMsgQueueLimitPerSession") or settings.TB_WS_MAX_QUEUE
        self._out.rate = UpdateRate(str(configuration.get("wsUpdatesPerSessionRateLimit") or ""))
        self._desk = Desk(ours, self, self._out, configuration)
        self._sender = asyncio.create_task(self._out.run())
        self._sender.add_done_callback(self._stopped)
        ours.sockets.add(self)

    async def _end(self, code: int, reason: str) -> None:
        """Close it. Nothing is sent after that."""
        if not self._over:
            self._leave()
            await self.close(code, reason)

    def _leave(self) -> None:
        self._over = True
        self._impatience.cancel()
        ours = hub()
        ours.sockets.discard(self)
        ours.places.leave(self._places)
        self._places = []
        if self._desk is not None:
            self._desk.end_all()
        for task in (self._sender, self._asking):
            if task is not None and task is not asyncio.current_task():
                task.cancel()

    def _hurry(self) -> None:
        if self.user is None:
            self._later(self._end(POLICY, f"Expected authCmd within {settings.TB_WS_AUTH_TIMEOUT:g} s"))

    def _later(self, ending: Any) -> None:
        task = asyncio.get_running_loop().create_task(ending)
        self._ending = task  # kept, so that it is not collected

    def _stopped(self, sender: "asyncio.Task[None]") -> None:
        if not sender.cancelled() and (error := sender.exception()) is not None:
            log.error("The sender of a socket failed.", exc_info=error)
            self._later(self._end(RESTARTED, "Internal error"))

    # Work.

    async def _do(self, work: Any) -> None:
        """Do it; what goes wrong closes the socket."""
        if self._over:
            work.close()
            return
        try:
            await work
        except NoRoom as error:
            await self._end(POLICY, str(error))
        except QueueFull:
            await self._end(POLICY, FULL)
        except Exception:
            log.exception("A command could not be answered.")
            await self._end(RESTARTED, "Internal error")

    async def _work(self, message: Message) -> None:
        for command in message.commands:
            if self._over or self._desk is None:
                return
            await self._desk.handle(command)
            if self._over:  # it ended meanwhile, and so does what was begun
                self._desk.end_all()

    async def _refuse_message(self) -> None:
        self._out.answer(1, error_frame(1, Fault.BAD_REQUEST, "Failed to parse the payload"))

    async def _send(self, frame: str) -> None:
        if not self._confirms:
            await self.send(frame)
            return
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def read() -> None:
            if not confirmed.done():
                confirmed.set_result(None)

        await self.base_send({"type": "websocket.send", "text": frame, "confirmed": read})
        await confirmed

    def _lost_sight(self, subscription: Subscription) -> None:
        """The sender found that the user may not see it any more."""
        self.doubt()

    async def _ask_again(self) -> None:
        while self._doubtful and not self._over and self._desk is not None:
            self._doubtful = False
            watched = {entity for each in self._desk.subscriptions.values() for entity in each.entities()}
            try:
                user, gone = await in_database(_rights_of, self._claims, watched)
            except Unauthenticated as error:
                await self._end(POLICY, error.message)
                return
            except Exception:
                log.exception("It could not be asked what a user may see; it is asked again.")
                self._doubtful = True
                await asyncio.sleep(1)
                continue
            self.user = self._out.user = user
            if gone and not self._over:
                try:
                    self._desk.withdraw(gone)
                except QueueFull:
                    await self._end(POLICY, FULL)


def _user_of_token(token: str) -> tuple[User, dict[str, Any], Mapping[str, Any]]:
    """User, claims and limits. Raises Unauthenticated. In a database thread."""
    claims = verified(token)
    if claims["scopes"] == [REFRESH_SCOPE]:
        raise Unauthenticated("Authentication failed")
    user = user_of(claims)
    return user, claims, configuration_of(user)


def _rights_of(claims: dict[str, Any], watched: Collection[EntityId]) -> tuple[User, set[EntityId]]:
    """The user as it is now, and which of these entities it does not see. Raises Unauthenticated. In a database thread."""
    cache.forget(uuid.UUID(claims["userId"]))
    user = user_of(claims)
    gone: set[EntityId] = set()
    for kind, ids in by_kind(watched).items():
        gone |= {EntityId(kind, each) for each in ids - visible_ids(kind, ids, user)}
    return user, gone
