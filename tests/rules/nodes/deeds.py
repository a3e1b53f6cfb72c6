"""Deeds in memory: a record of what was done, and refusals that a test asks for."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rules.node import Body
from rules.node.deeds import Sign, Target, ViewKeys
from telemetry.points import Scope
from thingsboard.kernel.ids import EntityId


class Deeds:
    """`done` has each deed as (verb, arguments); a target is found by its name in `known`; a deed on what `refused` names
    raises that.
    """

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.known: dict[str, EntityId] = {}
        self.refused: dict[EntityId, Exception] = {}
        self.limited: set[EntityId] = set()
        self.shown: dict[EntityId, list[ViewKeys]] = {}
        self.asked: list[set[EntityId]] = []

    def _do(self, verb: str, entity: EntityId, *arguments: Any) -> None:
        if entity in self.refused:
            raise self.refused[entity]
        self.done.append((verb, entity, *arguments))

    def assign(self, entity: EntityId, customer: Target, *, announce: bool) -> None:
        self._do("assign", entity, customer, announce)

    def unassign(self, entity: EntityId, customer: Target | None) -> None:
        self._do("unassign", entity, customer)

    def relate(
        self, entity: EntityId, direction: str, type: str, target: Target, *, replace: bool, announce: bool
    ) -> EntityId:
        self._do("relate", entity, direction, type, target, replace, announce)
        return self.known[target.name]

    def unrelate(self, entity: EntityId, direction: str, type: str, target: Target | None) -> None:
        self._do("unrelate", entity, direction, type, target)

    def signal(self, device: EntityId, sign: Sign, ts: int) -> bool:
        if device in self.limited:
            return False
        self._do("signal", device, sign, ts)
        return True

    def delete_attributes(
        self,
        entity: EntityId,
        scope: Scope,
        keys: Collection[str],
        *,
        notify_device: bool = False,
        announce: bool = False,
    ) -> None:
        self._do("delete attributes", entity, scope, list(keys), notify_device, announce)

    def views(self, entities: Collection[EntityId]) -> Mapping[EntityId, Sequence[ViewKeys]]:
        self.asked.append(set(entities))
        return {each: self.shown[each] for each in entities if each in self.shown}

    def answer_call(self, service: str, request: uuid.UUID, body: Body) -> None:
        self.done.append(("answer call", service, request, body.value))

    def answer_device(self, device: EntityId, service: str, session: uuid.UUID, request: int, body: Body) -> None:
        self._do("answer device", device, service, session, request, body.value)
