"""How alarms reach the database: locked, read and written many at a time, on any psycopg connection inside an open transaction.

The rule engine runs these on a connection of its own, the services for people on Django's (compat: ThingsBoard does one stored
procedure per alarm). What becomes of an alarm in between, state.py says:

    current = load_active(connection, {(device, "High temperature")})
    made = raised(current.get((device, "High temperature")), request, now_ms())
    write(connection, [made.state], {made.state.id} if made.created else set())
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, LiteralString

import orjson
import psycopg
from psycopg.rows import tuple_row

from alarms.services.state import (
    AlarmRequest,
    AlarmState,
    Raised,
    acknowledged,
    alarm_json,
    assigned,
    cleared,
    raised,
)
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.ids import EntityId, EntityType

__all__ = [
    "AlarmRace",
    "AlarmRequest",
    "AlarmState",
    "Raised",
    "acknowledged",
    "alarm_json",
    "assigned",
    "cleared",
    "load",
    "load_active",
    "raised",
    "write",
]

_COLUMNS: Final = (
    "a.id, a.created_time, a.version, a.tenant_id, a.customer_id, a.originator_type, a.originator_id, a.type, a.severity, "
    "a.acknowledged, a.cleared, a.start_ts, a.end_ts, a.ack_ts, a.clear_ts, a.assign_ts, a.assignee_id, a.details::text, "
    "a.propagate, a.propagate_to_owner, a.propagate_to_tenant, a.propagate_relation_types::text"
)

# The rows are sorted before they are locked: whoever locks several does it in the same order, and nobody waits in a circle.
# FOR NO KEY UPDATE lets the checks of foreign keys pass.
_LOAD_ACTIVE: Final = f"""
    SELECT {_COLUMNS}
    FROM unnest(%s::uuid[], %s::text[]) AS wanted(originator_id, type)
    JOIN alarms_alarm a ON a.originator_id = wanted.originator_id AND a.type = wanted.type
    WHERE NOT a.cleared
    ORDER BY a.originator_id, a.type COLLATE "C"
"""  # noqa: S608  our own constants

_LOAD: Final = f"""
    SELECT {_COLUMNS} FROM alarms_alarm a WHERE a.id = ANY(%s::uuid[]) AND (%s::uuid IS NULL OR a.tenant_id = %s)
    ORDER BY a.originator_id, a.type COLLATE "C", a.id
"""  # noqa: S608  our own constants

_LOCKED: Final = "FOR NO KEY UPDATE OF a"

# A customer that was deleted since somebody read of it is none; the one active alarm of originator and type stays the one.
_INSERT: Final = """
    INSERT INTO alarms_alarm (
        id, created_time, version, tenant_id, customer_id, originator_type, originator_id, type, severity,
        acknowledged, cleared, start_ts, end_ts, ack_ts, clear_ts, assign_ts, assignee_id, details,
        propagate, propagate_to_owner, propagate_to_tenant, propagate_relation_types
    )
    SELECT n.id, n.created_time, n.version, n.tenant_id, c.id, n.originator_type, n.originator_id, n.type, n.severity,
        n.acknowledged, n.cleared, n.start_ts, n.end_ts, n.ack_ts, n.clear_ts, n.assign_ts, n.assignee_id, n.details::jsonb,
        n.propagate, n.propagate_to_owner, n.propagate_to_tenant, n.relation_types::jsonb
    FROM unnest(
        %s::uuid[], %s::bigint[], %s::bigint[], %s::uuid[], %s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::text[],
        %s::bool[], %s::bool[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::uuid[], %s::text[],
        %s::bool[], %s::bool[], %s::bool[], %s::text[]
    ) WITH ORDINALITY AS n(
        id, created_time, version, tenant_id, customer_id, originator_type, originator_id, type, severity,
        acknowledged, cleared, start_ts, end_ts, ack_ts, clear_ts, assign_ts, assignee_id, details,
        propagate, propagate_to_owner, propagate_to_tenant, relation_types, place
    )
    LEFT JOIN tenants_customer c ON c.id = n.customer_id AND c.tenant_id = n.tenant_id
    ORDER BY n.place
    ON CONFLICT (originator_id, type) WHERE NOT cleared DO NOTHING
"""

# What never changes is not written: whose it is, what it is about, its type.
_UPDATE: Final = """
    UPDATE alarms_alarm a SET
        version = n.version, severity = n.severity, acknowledged = n.acknowledged, cleared = n.cleared, start_ts = n.start_ts,
        end_ts = n.end_ts, ack_ts = n.ack_ts, clear_ts = n.clear_ts, assign_ts = n.assign_ts, assignee_id = n.assignee_id,
        details = n.details::jsonb, propagate = n.propagate, propagate_to_owner = n.propagate_to_owner,
        propagate_to_tenant = n.propagate_to_tenant, propagate_relation_types = n.relation_types::jsonb
    FROM unnest(
        %s::uuid[], %s::bigint[], %s::text[], %s::bool[], %s::bool[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
        %s::bigint[], %s::uuid[], %s::text[], %s::bool[], %s::bool[], %s::bool[], %s::text[]
    ) AS n(
        id, version, severity, acknowledged, cleared, start_ts, end_ts, ack_ts, clear_ts, assign_ts, assignee_id, details,
        propagate, propagate_to_owner, propagate_to_tenant, relation_types
    )
    WHERE a.id = n.id
"""


class AlarmRace(Exception):
    """Somebody else raised one of these alarms first, or deleted one: roll back and decide anew on what is there now."""


def load_active(
    connection: psycopg.Connection[Any], wanted: Collection[tuple[uuid.UUID, str]], *, lock: bool = True
) -> dict[tuple[uuid.UUID, str], AlarmState]:
    """The active alarms of these (originator's id, type), locked until the transaction ends; what has none is left out.

    One round trip, none for nothing. `lock` False: for who only wants to know.
    """
    if not wanted:
        return {}
    keys = list(dict.fromkeys(wanted))
    statement = _LOAD_ACTIVE + _LOCKED if lock else _LOAD_ACTIVE
    return {
        state.key: state for state in _read(connection, statement, [key for key, _ in keys], [kind for _, kind in keys])
    }


def load(
    connection: psycopg.Connection[Any],
    ids: Collection[uuid.UUID],
    *,
    tenant_id: uuid.UUID | None = None,
    lock: bool = True,
) -> dict[uuid.UUID, AlarmState]:
    """The alarms with these ids, active or not, locked until the transaction ends; what does not exist is left out, and so is
    what is another's where a tenant is named: it is not locked, either.
    """
    if not ids:
        return {}
    statement = _LOAD + _LOCKED if lock else _LOAD
    found = _read(connection, statement, list(dict.fromkeys(ids)), tenant_id, tenant_id)
    return {state.id: state for state in found}


def write(connection: psycopg.Connection[Any], states: Sequence[AlarmState], new: Collection[uuid.UUID]) -> None:
    """Write these alarms, each once; those whose ids are in `new` are inserted, all others replaced. At most two statements.

    Raises AlarmRace where an insert meets an active alarm that is not among those that were loaded, or where a row is gone:
    then the rows of this call are partly written, and the transaction (or the savepoint) has to be rolled back.
    """
    rows = sorted(states, key=lambda state: (state.originator.id.bytes, state.type, not state.cleared))
    # What is cleared goes first, so that a new one of the same type may take its place in the same call.
    inserts = [state for state in rows if state.id in new]
    updates = [state for state in rows if state.id not in new]
    _run(connection, _UPDATE, map(_updated, updates), len(updates))
    _run(connection, _INSERT, map(_inserted, inserts), len(inserts))


def _run(
    connection: psycopg.Connection[Any], statement: LiteralString, rows: Iterable[tuple[Any, ...]], count: int
) -> None:
    if not count:
        return
    # Parameters go beside the statement: Django's own cursors would write all of them into its text.
    with psycopg.Cursor(connection, row_factory=tuple_row) as cursor:
        cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)], prepare=True)
        if cursor.rowcount != count:
            raise AlarmRace(f"{count - cursor.rowcount} of {count} alarms were raised or deleted by somebody else")


def _updated(state: AlarmState) -> tuple[Any, ...]:
    return (
        state.id, state.version, str(state.severity), state.acknowledged, state.cleared, state.start_ts, state.end_ts,
        state.ack_ts, state.clear_ts, state.assign_ts, state.assignee_id, _json(state.details),
        state.propagate, state.propagate_to_owner, state.propagate_to_tenant, _json(state.relation_types),
    )  # fmt: skip


def _inserted(state: AlarmState) -> tuple[Any, ...]:
    return (
        state.id, state.created_time, state.version, state.tenant_id, state.customer_id, state.originator.type.value,
        state.originator.id, state.type, str(state.severity), state.acknowledged, state.cleared, state.start_ts, state.end_ts,
        state.ack_ts, state.clear_ts, state.assign_ts, state.assignee_id, _json(state.details),
        state.propagate, state.propagate_to_owner, state.propagate_to_tenant, _json(state.relation_types),
    )  # fmt: skip


def _json(value: Any) -> str | None:
    return None if value is None else json_bytes(value).decode()


def _read(connection: psycopg.Connection[Any], statement: LiteralString, *parameters: Any) -> list[AlarmState]:
    with psycopg.Cursor(connection, row_factory=tuple_row) as cursor:
        cursor.execute(statement, parameters, prepare=True)
        return [_state(row) for row in cursor]


def _state(row: tuple[Any, ...]) -> AlarmState:
    *head, kind, originator = row[:7]
    *middle, details = row[7:18]
    *flags, relation_types = row[18:]
    known = None if details is None else orjson.loads(details)
    about = EntityId(EntityType(kind), originator)
    return AlarmState(*[*head, about, *middle, known, *flags, tuple(orjson.loads(relation_types))])
