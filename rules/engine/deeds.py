"""The deeds of a batch (rules.node.deeds), by the verbs of the services: at once, on Django's connection, the engine's own.

Each has a savepoint. What it changed is seen by whatever is read in the transaction afterwards, happens with the batch's
COMMIT and never twice, and is gone with whatever undoes the batch (docs/decisions/0037).
"""

import logging
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import django.db
import psycopg
from django.db import transaction

from devices.models import Direction, EntityView
from devices.services import activity, relations
from devices.services.relations import RelationKey
from rules.engine import targets
from rules.engine.entities import Entities
from rules.engine.replies import Replies
from rules.engine.signals import Signals
from rules.engine.values import Values
from rules.node import Body
from rules.node.context import RULE_NODE_ID
from rules.node.deeds import Sign, Target, ViewKeys
from telemetry.points import Scope
from telemetry.store.batch import Server
from tenants.services.acting import as_rule_node
from tenants.services.assignable import Assignable, assignable
from tenants.services.events import Event
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.entities import hold, not_found
from thingsboard.kernel.errors import PlatformError
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.outbox import Message

log = logging.getLogger(__name__)

Note = dict[str, Any]
LONGEST_NOTE: Final = 4096  # bytes of an answer
CREATED: Final = frozenset({Event.ENTITY_CREATED.value})
_SCOPES: Final = {"cs": Scope.CLIENT, "ss": Scope.SERVER, "sh": Scope.SHARED}
_REPORTS: Final[Mapping[Sign, Callable[[uuid.UUID, int], activity.Report]]] = {
    Sign.CONNECT: lambda device, ts: activity.Report(device, connected=ts),
    Sign.DISCONNECT: lambda device, ts: activity.Report(device, disconnected=ts),
    Sign.ACTIVITY: lambda device, ts: activity.Report(device, last_activity=ts),
    Sign.INACTIVITY: lambda device, ts: activity.Report(device, inactive=ts),
}


class BatchDeeds:
    """Implements rules.node.deeds.Deeds. `caused` has a short record of each deed, JSON: what it was, and to what."""

    def __init__(
        self,
        tenant_id: uuid.UUID,
        now: Callable[[], int],
        here: Callable[[], bytes],
        entities: Entities,
        values: Values,
        server: Server,
        queue: Callable[[Message], None],
        signals: Signals,
    ) -> None:
        """`here` says which node is running (16 bytes), `queue` has a message go through the rules."""
        self.caused: list[Note] = []
        self.replies = Replies(tenant_id)
        self.signals = signals
        self._tenant_id, self._now, self._here = tenant_id, now, here
        self._entities, self._values, self._server, self._queue = entities, values, server, queue

    def assign(self, entity: EntityId, customer: Target, *, announce: bool) -> None:
        """See rules.node.deeds."""
        with self._deed(announce) as notes:
            verbs, thing = self._assignable(entity)
            owner = self._target(customer, notes)
            if verbs.assign(thing, targets.customer_of(self._tenant_id, owner)):
                notes.append({"kind": "assign to customer", "entity": entity.to_json(), "customer": owner.to_json()})
        self._entities.forget(entity)

    def unassign(self, entity: EntityId, customer: Target | None) -> None:
        """See rules.node.deeds."""
        with self._deed() as notes:
            verbs, thing = self._assignable(entity)
            owner = None if customer is None or not verbs.many else self._target(customer, notes)
            found = None if owner is None else targets.customer_of(self._tenant_id, owner)
            if verbs.unassign(thing, found):
                notes.append({"kind": "unassign from customer", "entity": entity.to_json()})
        self._entities.forget(entity)

    def relate(
        self, entity: EntityId, direction: str, type: str, target: Target, *, replace: bool, announce: bool
    ) -> EntityId:
        """See rules.node.deeds."""
        with self._deed(announce) as notes:
            other = self._target(target, notes)
            if replace:
                self._drop(entity, direction, type, notes)
            key = _key(entity, direction, type, other)
            if not relations.related(self._tenant_id, key):
                relations.save_relation(self._tenant_id, key)
                notes.append({"kind": "create relation", **_told(key)})
        return other

    def unrelate(self, entity: EntityId, direction: str, type: str, target: Target | None) -> None:
        """See rules.node.deeds."""
        with self._deed() as notes:
            if target is None:
                self._drop(entity, direction, type, notes)
                return
            key = _key(entity, direction, type, self._target(target, notes))
            if relations.related(self._tenant_id, key):
                relations.delete_relation(self._tenant_id, key)
                notes.append({"kind": "delete relation", **_told(key)})

    def signal(self, device: EntityId, sign: Sign, ts: int) -> bool:
        """See rules.node.deeds."""
        if not self.signals.take(self._here(), device.id.bytes, self._now()):
            return False
        self._settle_attributes(device)
        with self._deed() as notes:
            if hold(device, self._tenant_id) is None:
                raise not_found(device.type, device.id)
            if ts > 0:  # as in ThingsBoard, what has no time is not believed
                activity.report(_REPORTS[sign](device.id, ts))
                notes.append({"kind": "device state", "entity": device.to_json(), "event": sign.value, "ts": ts})
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
        """See rules.node.deeds."""
        names = list(keys)
        bad = next((name for name in names if "\0" in name), None)
        if bad is not None:
            raise ValueError(f"The key holds a NUL character: {bad[:40]!r}.")
        self._values.delete_attributes(entity.id.bytes, scope, names)
        self._note([{"kind": "delete attributes", "entity": entity.to_json(), "scope": scope.json, "keys": names}])
        if announce:
            metadata = {RULE_NODE_ID: str(uuid.UUID(bytes=self._here())), "scope": scope.json}
            body = json_bytes({"attributes": names})
            self._announce(Message(Event.ATTRIBUTES_DELETED.value, entity, body, metadata, self._now()))

    def views(self, entities: Collection[EntityId]) -> Mapping[EntityId, Sequence[ViewKeys]]:
        """See rules.node.deeds."""
        found: dict[EntityId, list[ViewKeys]] = {}
        wanted = {each.id: each for each in entities}
        rows = EntityView.objects.filter(tenant_id=self._tenant_id, entity_id__in=list(wanted)) if wanted else ()
        for row in sorted(rows, key=lambda each: (each.created_time, each.pk)):
            if row.entity == wanted[row.entity_id]:
                view = EntityId(EntityType.ENTITY_VIEW, row.pk)
                shown = (row.keys or {}).get("attributes") or {}
                keys = {scope: frozenset(shown.get(name) or ()) for name, scope in _SCOPES.items()}
                found.setdefault(row.entity, []).append(ViewKeys(view, keys, row.start_ts, row.end_ts))
        return found

    def answer_call(self, service: str, request: uuid.UUID, body: Body) -> None:
        """See rules.node.deeds."""
        self.replies.call(service, request, body)
        self._note([{"kind": "rest call reply", "request": str(request), "data": _short(body)}])

    def answer_device(self, device: EntityId, service: str, session: uuid.UUID, request: int, body: Body) -> None:
        """See rules.node.deeds."""
        self.replies.device(device, service, session, request, body)
        self._note([{"kind": "rpc call reply", "entity": device.to_json(), "request": request, "data": _short(body)}])

    def mark(self) -> tuple[int, int]:
        """How far it got; `undo` goes back to it."""
        return len(self.caused), self.replies.mark()

    def undo(self, mark: tuple[int, int]) -> None:
        """Undo what a node wanted since, but for what it did at once: a node with deeds raises nothing after one."""
        caused, replies = mark
        del self.caused[caused:]
        self.replies.undo(replies)

    def committed(self) -> None:
        """All of it happened: what is told outside of the database."""
        self.signals.committed()
        self.replies.committed()

    @contextmanager
    def _deed(self, announce: bool = False) -> Iterator[list[Note]]:
        """All or nothing of what is done inside. What the data is to blame for raises ValueError."""
        notes: list[Note] = []
        node = uuid.UUID(bytes=self._here())
        try:
            with transaction.atomic(), as_rule_node(node, CREATED if announce else ()):
                yield notes
        except (django.db.DataError, django.db.IntegrityError) as error:
            raise ValueError(f"The database refuses it: {_first_line(error)}") from None
        except django.db.Error as error:
            # Whether somebody else was in the way or the database is away, the engine tells by psycopg's own errors.
            raise error.__cause__ if isinstance(error.__cause__, psycopg.Error) else error from None
        except (ValueError, PlatformError, psycopg.Error):
            raise
        except Exception as error:
            # A node that raised anything else would be run again, and the deeds of its earlier messages done twice.
            log.exception("A deed of the rule node %s failed.", node)
            raise ValueError(f"It cannot be done: {type(error).__name__}") from None
        self._note(notes)

    def _note(self, notes: list[Note]) -> None:
        """It happened."""
        self.caused += notes

    def _announce(self, message: Message) -> None:
        """Have it go through the rules."""
        self._queue(message)

    def _settle_attributes(self, entity: EntityId) -> None:
        """A service is about to read and write attributes of the entity."""
        self._values.settle_attributes(entity, self._server)

    def _target(self, target: Target, notes: list[Note]) -> EntityId:
        found = targets.find(self._tenant_id, target)
        if found is None:
            found = targets.make(self._tenant_id, target)
            self._entities.forget(found)
            notes.append({"kind": "create", "entity": found.to_json(), "name": target.name})
        return found

    def _drop(self, entity: EntityId, direction: str, type: str, notes: list[Note]) -> None:
        gone = relations.drop_relations(self._tenant_id, entity, type, Direction(direction))
        if gone:
            told = {"entity": entity.to_json(), "direction": direction, "type": type, "count": gone}
            notes.append({"kind": "delete relations", **told})

    def _assignable(self, entity: EntityId) -> tuple[Assignable, Any]:
        """The verbs of its kind, and the object. Raises NotFound."""
        verbs = assignable(entity.type)
        thing = None if verbs is None else hold(entity, self._tenant_id)
        if verbs is None or thing is None:
            raise not_found(entity.type, entity.id)
        return verbs, thing


def _key(entity: EntityId, direction: str, type: str, other: EntityId) -> RelationKey:
    return RelationKey(entity, type, other) if direction == Direction.FROM else RelationKey(other, type, entity)


def _told(key: RelationKey) -> Note:
    return {"from": key.start.to_json(), "type": key.type, "to": key.end.to_json()}


def _short(body: Body) -> str:
    return body.raw[:LONGEST_NOTE].decode("utf-8", "replace")


def _first_line(error: BaseException) -> str:
    """What the database said, which names no other tenant's data."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "message_primary", None) or type(error).__name__
