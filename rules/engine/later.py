"""What waits for a time, as a batch asks and causes it (rules.node.later). Nothing is written before `write`."""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from django.conf import settings

from rules.engine.calls import Calls
from rules.engine.continuing import WOKEN, kept
from rules.engine.held import Piles
from rules.engine.journal import Journal
from rules.engine.node_state import States
from rules.engine.room import Room
from rules.node import Msg, Wait
from rules.node.later import DeviceCall
from thingsboard.kernel import timers
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.outbox import MAIN, Appender, Message, Position, Row
from thingsboard.kernel.timers import Timer

Connection = psycopg.Connection[Any]


class _Wake(NamedTuple):
    place: Position
    due: int
    type: str
    keep: bool


def tick(place: Position, entity: EntityId, due: int, type: str, queue: str = MAIN) -> Timer:
    """The timer by which a node is woken for an entity: the message arrives at the node itself."""
    message = Message(type, entity, b"{}", {}, due, position=place._replace(relation=WOKEN))
    return Timer(due, uuid.UUID(bytes=place.node), message.row(), queue, entity.id)


class BatchLater:
    """Of one batch of one tenant, inside an open transaction of the connection. `here` says which node is running."""

    def __init__(self, connection: Connection, tenant_id: uuid.UUID, room: Room, here: Callable[[], Position]) -> None:
        self._connection, self._tenant_id, self._room, self._here = connection, tenant_id, room, here
        self._journal = Journal()
        self._piles = Piles(connection, tenant_id, self._journal)
        self._states = States(connection, tenant_id, self._journal)
        self._calls = Calls(connection, tenant_id, self._journal)
        self._wakes: dict[tuple[bytes, EntityId], _Wake] = {}
        self._waiting: dict[bytes, int] = {}
        self._waits: list[tuple[Position, Wait]] = []

    @property
    def node(self) -> EntityId:
        """See rules.node.Later."""
        return EntityId(EntityType.RULE_NODE, uuid.UUID(bytes=self._here().node))

    @property
    def service_id(self) -> str:
        """See rules.node.Later."""
        return str(settings.TB_SERVICE_ID)

    def wake(self, entity: EntityId, due: int, type: str, *, keep: bool = True) -> None:
        """See rules.node.Later."""
        place = self._here()
        key = (place.node, entity)
        before = self._wakes.get(key)
        if before is not None and keep:
            return
        self._wakes[key] = _Wake(place, due, type, keep)
        self._journal.note(lambda: self._put_back(key, before))

    def _put_back(self, key: tuple[bytes, EntityId], before: _Wake | None) -> None:
        if before is None:
            del self._wakes[key]
        else:
            self._wakes[key] = before

    def hold(self, messages: Sequence[Msg]) -> None:
        """See rules.node.Later."""
        why = self._room.take(self._tenant_id, messages)
        if why:
            raise ValueError(why)
        self._piles.put(self._here(), messages)

    def held(self, entities: Collection[EntityId]) -> Mapping[EntityId, int]:
        """See rules.node.Later."""
        return self._piles.counts(self._here().node, entities)

    def take(self, entities: Collection[EntityId]) -> Mapping[EntityId, Sequence[Msg]]:
        """See rules.node.Later."""
        return self._piles.take(self._here().node, entities)

    def state(self, keys: Collection[str]) -> Mapping[str, Any]:
        """See rules.node.Later."""
        return self._states.of(self._here().node, keys)

    def keep(self, key: str, value: Any) -> None:
        """See rules.node.Later."""
        self._states.keep(self._here().node, key, value)

    def add(self, key: str, by: int) -> None:
        """See rules.node.Later."""
        self._states.add(self._here().node, key, by)

    def waiting(self) -> int:
        """See rules.node.Later. One statement for each node and batch."""
        node = self._here().node
        if node not in self._waiting:
            there = timers.waiting_of_owner(self._connection, self._tenant_id, uuid.UUID(bytes=node))
            self._waiting[node] = there + sum(place.node == node for place, each in self._waits if each.due)
        return self._waiting[node]

    def connected(self, devices: Collection[EntityId]) -> Collection[EntityId]:
        """See rules.node.Later."""
        return self._calls.connected(devices)

    def call(self, request: DeviceCall) -> None:
        """See rules.node.Later."""
        self._calls.make(request)

    # What the engine says.

    def wait(self, place: Position, outcome: Wait, now: int) -> str:
        """A message waits; "" or why it cannot."""
        if outcome.due > now:
            why = self._room.take(self._tenant_id, [outcome.msg])
            if why:
                return why
            if place.node in self._waiting:
                self._waiting[place.node] += 1
        self._waits.append((place, outcome))
        return ""

    def mark(self) -> int:
        """How far nodes got; `undo` goes back to it."""
        return self._journal.mark()

    def undo(self, mark: int) -> None:
        """Undo what a node caused since."""
        self._journal.undo(mark)

    def forget(self) -> None:
        """Undo what was not written."""
        self._journal.clear()
        for each in (self._piles, self._states, self._calls):
            each.forget()
        self._wakes.clear()

    def write(self) -> None:
        """Write what nodes caused and was not written yet. States come before timers: so does who saves a chain."""
        self._journal.clear()
        self._states.write()
        self._piles.write()
        for keep in (True, False):
            wanted = [
                tick(wake.place, entity, wake.due, wake.type)
                for (_, entity), wake in self._wakes.items()
                if wake.keep is keep
            ]
            timers.set_single(self._connection, self._tenant_id, wanted, keep=keep)
        self._wakes.clear()
        self._calls.write()

    def write_waits(self, appender: Appender, now: int) -> set[int]:
        """Write the messages that wait; those whose time has come go to the end of their queues, whose lanes are returned."""
        waits, self._waits = self._waits, []
        at_once: dict[str, list[Row]] = {}
        for place, each in waits:
            if each.due <= now:
                row = kept(each.msg, place._replace(relation=each.relation))
                at_once.setdefault(each.msg.queue, []).append(row)
        later = [_timer(place, each) for place, each in waits if each.due > now]
        timers.set_timers(self._connection, self._tenant_id, later)
        lanes: set[int] = set()
        for queue, rows in sorted(at_once.items()):
            lanes |= appender.append(self._connection, self._tenant_id.bytes, rows, queue)
        return lanes


def _timer(place: Position, wait: Wait) -> Timer:
    row = kept(wait.msg, place._replace(relation=wait.relation))
    return Timer(wait.due, uuid.UUID(bytes=place.node), row, wait.msg.queue, wait.key)
