"""What waits for a time, in memory: the Later protocol and nothing else. Questions are in `asked`, by their names."""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from rules.node import Msg
from rules.node.later import TICK, DeviceCall
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType

NODE = EntityId(EntityType.RULE_NODE, uuid.UUID("5f0a1c00-0000-11ee-8000-0000000000aa"))


class Later:
    """Of one node."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.asked: list[str] = []
        self.wakes: dict[EntityId, tuple[int, str]] = {}
        self.piles: dict[EntityId, list[Msg]] = {}
        self.values: dict[str, Any] = {}
        self.pending = 0
        self.online: set[EntityId] = set()
        self.calls: list[DeviceCall] = []
        self.full = ""  # why nothing more can be held back

    @property
    def node(self) -> EntityId:
        return NODE

    @property
    def service_id(self) -> str:
        return "tb-1"

    def wake(self, entity: EntityId, due: int, type: str, *, keep: bool = True) -> None:
        if not keep or entity not in self.wakes:
            self.wakes[entity] = (due, type)

    def hold(self, messages: Sequence[Msg]) -> None:
        self.asked.append("hold")
        if self.full:
            raise ValueError(self.full)
        for msg in messages:
            self.piles.setdefault(msg.originator, []).append(msg)

    def held(self, entities: Collection[EntityId]) -> Mapping[EntityId, int]:
        self.asked.append("held")
        return {entity: len(self.piles[entity]) for entity in entities if entity in self.piles}

    def take(self, entities: Collection[EntityId]) -> Mapping[EntityId, Sequence[Msg]]:
        self.asked.append("take")
        return {entity: self.piles.pop(entity) for entity in entities if entity in self.piles}

    def state(self, keys: Collection[str]) -> Mapping[str, Any]:
        return {key: self.values[key] for key in keys if key in self.values}

    def keep(self, key: str, value: Any) -> None:
        self.values[key] = value

    def add(self, key: str, by: int) -> None:
        self.asked.append("add")
        self.values[key] = self.values.get(key, 0) + by

    def waiting(self) -> int:
        self.asked.append("waiting")
        return self.pending

    def connected(self, devices: Collection[EntityId]) -> Collection[EntityId]:
        self.asked.append("connected")
        return self.online & set(devices)

    def call(self, request: DeviceCall) -> None:
        if any(call.id == request.id for call in self.calls):
            raise BadRequest("A request with this id exists already!")
        self.calls.append(request)

    # For tests.

    def tick(self, entity: EntityId) -> tuple[int, str]:
        """The wake of an entity, which is used up."""
        return self.wakes.pop(entity)

    def armed(self, due: int) -> None:
        """As who saves a chain arms a node."""
        self.values[TICK] = due
