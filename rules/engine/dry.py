"""The context of a dry run: it answers as that of a batch does, and notes what nodes cause instead of writing it.

What is asked is answered from the store, with everything that was caused before laid over it. Deeds that are done at once, by
the services of other rooms, happen in the transaction of the dry run, which is always rolled back.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from rules.engine.alarms import BatchAlarms
from rules.engine.context import BatchContext
from rules.engine.deeds import BatchDeeds, Note
from rules.engine.dry_later import DryLater
from rules.engine.signals import Signals
from rules.engine.tools import Tools
from rules.engine.values import KeyNumbers
from rules.node import Body, Suspend, Wait
from rules.node.context import AlarmResult, AlarmWish
from telemetry import keys
from telemetry.json import typed
from telemetry.points import Reading, Scope, Value
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.ids import EntityId
from thingsboard.kernel.outbox import Message, Position

MOST_EFFECTS = 1_000  # of one dry run


class DryNumbers(KeyNumbers):
    """Knows keys that there are, and makes none: nothing is written that would need their numbers."""

    def of(self, tenant: bytes, names: Any) -> Mapping[str, int]:
        """See KeyNumbers. Raises ValueError where a text cannot be a key."""
        known = keys.cache.of(tenant)
        missing = [name for name in names if name not in known]
        for name in missing:
            keys.check(name)
        return {**known, **dict.fromkeys(missing, 0)}


class DryAlarms(BatchAlarms):
    """Notes which alarms would be created, updated and cleared."""

    noted: "DryContext"

    def create(self, wish: AlarmWish) -> AlarmResult:
        """See rules.node.context.Alarms."""
        result = super().create(wish)
        self.noted.note("create alarm" if result.created else "update alarm", wish.originator, alarm=result.body.value)
        return result

    def clear(self, originator: EntityId, type: str, details: Any, ts: int) -> AlarmResult | None:
        """See rules.node.context.Alarms."""
        result = super().clear(originator, type, details, ts)
        if result is not None:
            self.noted.note("clear alarm", originator, alarm=result.body.value)
        return result


class DryDeeds(BatchDeeds):
    """Notes what is done; nobody is answered, and no limit of signals is used up."""

    noted: "DryContext"

    def _note(self, notes: list[Note]) -> None:
        for note in notes:
            more = {name: value for name, value in note.items() if name not in ("kind", "entity")}
            entity = EntityId.from_json(note["entity"]) if "entity" in note else None
            self.noted.note(note["kind"], entity, **more)

    def _announce(self, message: Message) -> None:
        self.noted.note("message", message.originator, type=message.type, data=orjson.loads(message.data))

    def _settle_attributes(self, entity: EntityId) -> None:
        """What was caused so far is not in the store, and stays over what is read."""


class DryContext(BatchContext):
    """See the module. `effects` has what was caused, in order: {"node", "effect", "entity", ...}, JSON values."""

    def __init__(self, tools: Tools, tenant_id: uuid.UUID) -> None:
        super().__init__(tools, tenant_id)
        tools.numbers = DryNumbers()
        self.values = type(self.values)(tools.connection, tenant_id.bytes, tools.numbers)
        self._alarms = DryAlarms(tools.connection, tenant_id, self.now, self.entities, lock=False)
        self._alarms.noted = self
        deeds = self._make_deeds(DryDeeds, Signals())
        deeds.noted = self
        self._deeds = deeds
        self._later = DryLater(tools, tenant_id, lambda: Position(self.chain, self.here), self.note)
        self.effects: list[dict[str, Any]] = []
        self.omitted = 0

    def note(self, effect: str, entity: EntityId | None = None, **more: Any) -> None:
        """Something would have happened at the node that is running."""
        if len(self.effects) >= MOST_EFFECTS:
            self.omitted += 1
            return
        where = {} if entity is None else {"entity": entity.to_json()}
        told = {"node": str(uuid.UUID(bytes=self.here)), "effect": effect, **where, **more}
        self.effects.append(orjson.loads(json_bytes(told)))  # as it is now: nodes may hold on to what they said

    def save_points(
        self,
        entity: EntityId,
        readings: Sequence[Reading],
        ttl_s: int = 0,
        *,
        history: bool = True,
        latest: bool = True,
        live: bool = True,
        fields: bool = True,
    ) -> None:
        """See rules.node.Context."""
        super().save_points(entity, readings, ttl_s, history=history, latest=latest, live=live, fields=fields)
        told = [{"ts": ts, "values": {key: typed(value) for key, value in values.items()}} for ts, values in readings]
        self.note("save time series", entity, timeseries=told, history=history, latest=latest, live=live)

    def save_attributes(
        self,
        entity: EntityId,
        scope: Scope,
        values: dict[str, Value],
        *,
        only_changes: bool = False,
        notify_device: bool = False,
        announce: Mapping[str, str] | None = None,
        store: bool = True,
        live: bool = True,
        fields: bool = True,
        ts: int | None = None,
    ) -> None:
        """See rules.node.Context."""
        before = len(self.values.pending)
        super().save_attributes(
            entity,
            scope,
            values,
            only_changes=only_changes,
            notify_device=notify_device,
            announce=announce,
            store=store,
            live=live,
            fields=fields,
            ts=ts,
        )
        for write, stored, *_ in self.values.pending[before:]:
            told = {key: typed(value) for *_, saved in write.attributes for key, value in saved.items()}
            self.note("save attributes", entity, scope=scope.json, attributes=told, stored=stored, live=live)
        if announce is not None and len(self.values.pending) > before and store:
            self.note("message", entity, type="ATTRIBUTES_UPDATED")

    def announce(self, type: str, entity: EntityId, body: Body) -> None:
        """See rules.node.Context."""
        self.note("message", entity, type=type, data=body.value)

    def suspend(self, place: Position, outcome: Suspend | Wait) -> str:
        """See rules.engine.run.RunContext."""
        self.suspended.append((place, outcome))
        if isinstance(outcome, Wait):
            at_once = {"queue": outcome.msg.queue} if outcome.due <= self.now() else {"until": outcome.due}
            self.note("wait", outcome.msg.originator, **at_once)
        return ""

    def log(self, text: str) -> None:
        """See rules.node.Context."""
        self.note("log", text=text[:4096])

    def mark(self) -> Any:
        """See BatchContext."""
        return super().mark(), len(self.effects)

    def undo(self, mark: Any) -> None:
        """See BatchContext."""
        before, effects = mark
        super().undo(before)
        del self.effects[effects:]

    def flush(self) -> None:
        """Nothing is written."""
        raise RuntimeError("A dry run writes nothing.")
