"""What is done with the commands of one socket: subscribe, read, unsubscribe (compat/websocket.md 2 and 5)."""

from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings

from telemetry.fanout import SERIES
from telemetry.live import entity_data, entity_query, reads
from telemetry.live.commands import LATER, Command, flag
from telemetry.live.database import in_database
from telemetry.live.entity_data import EntityDataCommand, EntityDataSubscription
from telemetry.live.frames import Fault, error_frame, values_frame
from telemetry.live.hub import Full, Hub, Socket
from telemetry.live.limits import SUBSCRIPTIONS, Place
from telemetry.live.outgoing import Outgoing
from telemetry.live.subscriptions import LatestOfOne, PointsOfOne, Subscription
from thingsboard.kernel.errors import BadRequest, NotFound, PlatformError
from thingsboard.kernel.ids import EntityId

LATEST_SCOPE = "LATEST_TELEMETRY"
NO_DATA, NO_ATTRIBUTES = "Failed to fetch data!", "Failed to fetch attributes!"

# The older kinds share their ids, ENTITY_DATA has its own.
OLD, ENTITY_DATA = "old", "entity data"
Name = tuple[str, int]


class Desk:
    """Of one authenticated socket. Commands come one after the other."""

    def __init__(self, hub: Hub, socket: Socket, outgoing: Outgoing, configuration: Mapping[str, Any]) -> None:
        self._hub, self._socket, self._out = hub, socket, outgoing
        self._configuration = configuration
        self.subscriptions: dict[Name, Subscription] = {}
        self._places: dict[Name, list[Place]] = {}

    async def handle(self, command: Command) -> None:
        """Do it, and answer. Raises NoRoom when the socket is to be closed, QueueFull."""
        try:
            if command.id < 0:
                raise BadRequest("Cmd id is negative value!")
            if command.type in LATER:
                raise BadRequest(f"Commands of type {command.type} are not available yet")
            await getattr(self, f"_{command.type.lower()}")(command)
        except Full:
            message = f"This server watches {settings.TB_WS_MAX_WATCHED} entities already; it may watch no more."
            self._refuse(command.id, Fault.INTERNAL, message)
        except NotFound:  # what ThingsBoard answers for what is not there, and for what is somebody else's
            self._refuse(command.id, Fault.INTERNAL, NO_ATTRIBUTES if command.type == "ATTRIBUTES" else NO_DATA)
        except PlatformError as error:
            self._refuse(command.id, Fault.BAD_REQUEST if error.status < 500 else Fault.INTERNAL, error.message)

    def end(self, name: Name) -> None:
        """A subscription is over; nothing happens where there is none."""
        subscription = self.subscriptions.pop(name, None)
        if subscription is not None:
            self._hub.unwatch(subscription, [entity.id.bytes for entity in subscription.entities()])
            self._out.forget(subscription)
            self._hub.places.leave(self._places.pop(name, []))

    def end_all(self) -> None:
        """All of them are over."""
        for name in list(self.subscriptions):
            self.end(name)

    def withdraw(self, gone: Collection[EntityId]) -> None:
        """The user sees these entities no more: what watches them ends or shrinks at once. Raises QueueFull."""
        for name, subscription in list(self.subscriptions.items()):
            lost = {entity.id for entity in subscription.entities() if entity in gone}
            if not lost:
                continue
            self._hub.unwatch(subscription, [each.bytes for each in lost])
            goes_on, said = subscription.withdraw(lost)
            if goes_on:
                self._socket.has_news(subscription)
            else:
                self.end(name)
            if said is not None:
                self._out.answer(subscription.cmd_id, said)

    async def _attributes(self, command: Command) -> None:
        if self._unsubscribed(command):
            return
        scope = command.scope()
        await self._begin(LatestOfOne(command.id, command.entity(), command.keys(), scope and int(scope)))

    async def _timeseries(self, command: Command) -> None:
        if self._unsubscribed(command):
            return
        entity, keys, length = command.entity(), command.keys(), command.whole("timeWindow")
        if command.text("scope") == LATEST_SCOPE:
            await self._begin(LatestOfOne(command.id, entity, keys, SERIES))
            return
        start = command.whole("startTs")
        window = command.window(start, start + length) if keys is not None and length > 0 else None
        await self._begin(PointsOfOne(command.id, entity, keys, window))

    async def _timeseries_history(self, command: Command) -> None:
        entity = command.entity()
        window = command.window(command.whole("startTs"), command.whole("endTs"))

        def read() -> dict[str, list[Any]]:
            reads.require_visible(entity, self._socket.user)
            return reads.history(entity.id, window)

        self._out.answer(command.id, values_frame(command.id, await in_database(read)))

    async def _entity_data_unsubscribe(self, command: Command) -> None:
        self.end((ENTITY_DATA, command.id))

    async def _entity_data(self, command: Command) -> None:
        wanted = entity_data.command_of(command, self._socket.user)
        name = (ENTITY_DATA, command.id)
        if wanted.query is not None:
            await self._new_page(name, wanted, wanted.query)
            return
        known = self.subscriptions.get(name)
        if not isinstance(known, EntityDataSubscription):
            raise BadRequest("Query is empty!")
        await self._refine(known, wanted)

    async def _begin(self, subscription: Subscription) -> None:
        """Watch, then read: whatever is committed from now on is heard, and what was before is read."""
        name = (OLD, subscription.cmd_id)
        await self._enter(name, subscription)
        try:
            found = await in_database(subscription.read, self._socket.user, None)
        except BaseException:
            self.end(name)
            raise
        if self._lives(name, subscription):
            self._out.answer(subscription.cmd_id, subscription.begin(found))
            self._go_on(subscription)

    async def _new_page(self, name: Name, wanted: EntityDataCommand, query: entity_query.Query) -> None:
        user = self._socket.user
        subscription = EntityDataSubscription(name[1], query)
        subscription.show(await in_database(entity_query.run, query, user))
        if wanted.latest is not None:
            subscription.watch_latest(wanted.latest)
        if wanted.series is not None:
            subscription.watch_series(wanted.series)
        await self._enter(name, subscription)
        try:
            found = await in_database(subscription.read, user, None)
            subscription.show(found.page)
            first = wanted.history or (wanted.series if wanted.latest is None else None)
            series = {} if first is None else await in_database(entity_data.history_of, found.page, first)
            frame = subscription.begin(found, series, () if first is None else first.keys)
            second = None
            if wanted.series is not None:
                if first is not wanted.series:
                    series = await in_database(entity_data.history_of, found.page, wanted.series)
                    second = subscription.series_frame(wanted.series.keys, series)
                subscription.begin_series(wanted.series, series)
        except BaseException:
            self.end(name)
            raise
        if self._lives(name, subscription):
            self._out.answer(name[1], frame)
            if second is not None:
                self._out.answer(name[1], second)
            self._go_on(subscription)

    async def _refine(self, known: EntityDataSubscription, wanted: EntityDataCommand) -> None:
        """Other commands for the page that is shown."""
        user = self._socket.user
        found = await in_database(known.read, user, None)
        known.show(found.page)
        if wanted.history is not None:
            series = await in_database(entity_data.history_of, found.page, wanted.history)
            self._out.answer(known.cmd_id, known.series_frame(wanted.history.keys, series))
        if wanted.latest is not None:
            new = [key for key in wanted.latest if key not in known.latest_keys]
            known.watch_latest(wanted.latest)
            found = await in_database(known.read, user, None)
            known.begin(found)
            if new:
                self._out.answer(known.cmd_id, known.latest_frame(new, found.latest))
        if wanted.series is not None:
            known.watch_series(wanted.series)
            known.begun = False
            try:
                series = await in_database(entity_data.history_of, found.page, wanted.series)
                known.begin_series(wanted.series, series)
                self._out.answer(known.cmd_id, known.series_frame(wanted.series.keys, series))
            finally:
                self._go_on(known)

    async def _enter(self, name: Name, subscription: Subscription) -> None:
        self.end(name)
        if len(self.subscriptions) >= settings.TB_WS_MAX_SUBSCRIPTIONS:
            raise BadRequest(f"Too many subscriptions: a socket may have {settings.TB_WS_MAX_SUBSCRIPTIONS}")
        self._places[name] = self._hub.places.take(SUBSCRIPTIONS, self._socket.user, self._configuration)
        self.subscriptions[name] = subscription
        try:
            await self._hub.watch(subscription, self._socket)
        except BaseException:
            self.end(name)
            raise

    def _lives(self, name: Name, subscription: Subscription) -> bool:
        """Whether it was not ended while the database was asked for it, because a right was withdrawn."""
        return self.subscriptions.get(name) is subscription

    def _go_on(self, subscription: Subscription) -> None:
        """The first frame is on its way: what changed meanwhile follows it."""
        if subscription in self.subscriptions.values():
            subscription.begun = True
            self._out.mark(subscription)

    def _unsubscribed(self, command: Command) -> bool:
        """Whether it was the end of a subscription; of all of them where no entity is named."""
        if not flag(command.body, "unsubscribe"):
            return False
        if command.text("entityId"):
            self.end((OLD, command.id))
        else:
            self.end_all()
        return True

    def _refuse(self, cmd_id: int, code: Fault, message: str) -> None:
        self._out.answer(cmd_id, error_frame(cmd_id, code, message))
