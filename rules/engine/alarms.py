"""The alarms of a batch: the locked rows, under what its nodes have decided so far (alarms.services.bulk)."""

import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any

import psycopg

from alarms.services.bulk import AlarmRace, load, load_active, write
from alarms.services.state import AlarmRequest, AlarmState, alarm_json, cleared, raised
from rules.engine.entities import Entities
from rules.node import Body
from rules.node.context import ActiveAlarm, AlarmResult, AlarmWish
from thingsboard.kernel.ids import EntityId


class BatchAlarms:
    """Implements rules.node.context.Alarms."""

    def __init__(
        self,
        connection: "psycopg.Connection[Any]",
        tenant_id: uuid.UUID,
        now: Callable[[], int],
        entities: Entities,
        *,
        lock: bool = True,
    ) -> None:
        """`lock`: nobody else changes what was read until the transaction ends; not for who writes nothing."""
        self._connection, self._tenant_id, self._now, self._entities = connection, tenant_id, now, entities
        self._lock = lock
        self._active: dict[tuple[uuid.UUID, str], AlarmState | None] = {}
        self._changed: dict[uuid.UUID, AlarmState] = {}
        self._new: set[uuid.UUID] = set()
        # How to undo what was decided: the key and what was active, the alarm and what was to be written of it.
        self._journal: list[tuple[tuple[uuid.UUID, str], AlarmState | None, uuid.UUID, AlarmState | None]] = []

    def load(self, wanted: Collection[tuple[EntityId, str]]) -> None:
        """See the protocol."""
        missing = {(entity.id, kind) for entity, kind in wanted} - self._active.keys()
        if missing:
            found = load_active(self._connection, missing, lock=self._lock)
            for key in missing:
                self._active[key] = found.get(key)

    def active(self, originator: EntityId, type: str) -> ActiveAlarm | None:
        """See the protocol."""
        state = self._state(originator, type)
        return None if state is None else ActiveAlarm(state.id, state.start_ts, state.details)

    def create(self, wish: AlarmWish) -> AlarmResult:
        """See the protocol."""
        current = self._state(wish.originator, wish.type)
        if current is None and not self._entities.describe([wish.originator]):
            gone = wish.originator
            raise ValueError(f"The originator of the alarm was not found: {gone.type.value} {gone.id}.")
        request = AlarmRequest(
            tenant_id=self._tenant_id,
            customer_id=wish.customer_id,
            originator=wish.originator,
            type=wish.type,
            severity=wish.severity,
            details=current.details if wish.details is None and current is not None else wish.details,
            start_ts=wish.start_ts,
            end_ts=wish.end_ts,
            propagate=wish.propagate,
            propagate_to_owner=wish.propagate_to_owner,
            propagate_to_tenant=wish.propagate_to_tenant,
            relation_types=wish.relation_types,
        )
        outcome = raised(current, request, self._now())
        if outcome.created or outcome.updated:
            self._decide((wish.originator.id, wish.type), current, outcome.state, outcome.state)
        if outcome.created:
            self._new.add(outcome.state.id)
        return AlarmResult(_body(outcome.state), outcome.created, outcome.severity_changed)

    def clear(self, originator: EntityId, type: str, details: Any, ts: int) -> AlarmResult | None:
        """See the protocol."""
        current = self._state(originator, type)
        if current is None:
            return None
        state = cleared(current, details, ts)
        self._decide((originator.id, type), current, None, state)
        return AlarmResult(_body(state), cleared=True)

    def by_id(self, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, dict[str, Any]]:
        """See the protocol."""
        stored = [each for each in ids if each not in self._new]
        found = load(self._connection, stored, tenant_id=self._tenant_id, lock=self._lock)
        found.update({each: self._changed[each] for each in ids if each in self._changed})
        return {pk: alarm_json(state) for pk, state in found.items()}

    def _decide(
        self, key: tuple[uuid.UUID, str], before: AlarmState | None, active: AlarmState | None, state: AlarmState
    ) -> None:
        self._journal.append((key, before, state.id, self._changed.get(state.id)))
        self._active[key] = active
        self._changed[state.id] = state

    def mark(self) -> int:
        """How far it got; `undo` goes back to it."""
        return len(self._journal)

    def undo(self, mark: int) -> None:
        """Undo what was decided since."""
        while len(self._journal) > mark:
            key, before, alarm, changed = self._journal.pop()
            self._active[key] = before
            if changed is None:
                self._changed.pop(alarm, None)
                self._new.discard(alarm)
            else:
                self._changed[alarm] = changed

    def _state(self, originator: EntityId, kind: str) -> AlarmState | None:
        key = (originator.id, kind)
        if key not in self._active:
            self.load([(originator, kind)])
        return self._active[key]

    def flush(self) -> None:
        """Write what was decided and not written yet. Raises AlarmRace where somebody else was faster, be it by deleting what
        a new alarm is about: who runs the batch again finds it gone.
        """
        if self._new and not self._entities.hold([self._changed[each].originator for each in self._new]):
            raise AlarmRace("The originator of an alarm is being deleted.")
        if self._changed:
            write(self._connection, list(self._changed.values()), self._new)
            self._changed, self._new = {}, set()
        self._journal.clear()

    def forget(self) -> None:
        """Undo what was not written."""
        self._changed.clear()
        self._new.clear()
        self._active.clear()
        self._journal.clear()


def _body(state: AlarmState) -> Body:
    return Body.later(lambda: alarm_json(state))
