"""Writes what was recorded of a batch, in the batch's own transaction, as its last deed: what is rolled back leaves nothing.

How much a tenant may have in a minute is counted in a row of its own, by whichever worker: the limits hold over all of them.
"""

import logging
import platform
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from django.db import transaction

from rules.engine import bounded
from rules.engine.recording import Draft, Heard, Recording
from rules.models import EventType
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.ids import EntityType, new_id
from thingsboard.kernel.time import now_ms

log = logging.getLogger(__name__)

Connection = psycopg.Connection[Any]

SERVER = platform.node()[:64]  # which machine tells
LONGEST_ERROR = 4096  # bytes
REACHED = "Reached debug mode rate limit!"  # ThingsBoard's words

_SPEND = """
    INSERT INTO rules_debugbudget AS b (tenant_id, minute, events, samples, dropped)
    VALUES (%(tenant)s, %(minute)s, %(events)s, %(samples)s, greatest(0, %(events)s - %(most)s))
    ON CONFLICT (tenant_id) DO UPDATE SET
        minute = excluded.minute,
        events = excluded.events + CASE WHEN b.minute = excluded.minute THEN b.events ELSE 0 END,
        samples = excluded.samples + CASE WHEN b.minute = excluded.minute THEN b.samples ELSE 0 END,
        dropped = b.dropped + excluded.events - greatest(0, least(
            excluded.events, %(most)s - CASE WHEN b.minute = excluded.minute THEN b.events ELSE 0 END))
    RETURNING events, samples
"""
_EVENTS = """
    INSERT INTO rules_ruleevent (tenant_id, created_time, type, entity_type, entity_id, body)
    SELECT %s, * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::uuid[], %s::text[]::jsonb[])
"""
_TAKE = """
    UPDATE rules_tracedemand d
    SET taken = least(d.messages, d.taken + w.wanted), ended = d.ended OR d.taken + w.wanted >= d.messages
    FROM (
        SELECT t.id, t.taken, w.wanted FROM unnest(%s::uuid[], %s::int[]) AS w(id, wanted)
        JOIN rules_tracedemand t ON t.id = w.id ORDER BY t.id FOR UPDATE OF t
    ) w WHERE d.id = w.id
    RETURNING d.id, d.taken - w.taken, d.ended
"""
_TRACES = """
    INSERT INTO rules_trace (
        id, tenant_id, created_time, demand_id, originator_type, originator_id, message_id, type, queue, chain_id, chain_name,
        error, batch, nodes, wait_us, run_us, write_us, timeline
    )
    SELECT * FROM unnest(
        %s::uuid[], %s::uuid[], %s::bigint[], %s::uuid[], %s::text[], %s::uuid[], %s::uuid[], %s::text[], %s::text[],
        %s::uuid[], %s::text[], %s::text[], %s::int[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[],
        %s::text[]::jsonb[]
    )
"""
_RAISE = "UPDATE rules_planepoch SET epoch = epoch + 1"


class _Room(NamedTuple):
    """What the present minute has left: events, samples; and whether it was just used up."""

    events: int
    samples: int
    reached: bool


def write_down(connection: Connection, tenant_id: uuid.UUID, recordings: Sequence[Recording]) -> None:
    """Write events and traces, in the open transaction. What cannot be written is left out: it never spoils the messages.

    Raises what the database raises when it cannot be used at all.
    """
    if not recordings:
        return
    try:
        with transaction.atomic():
            _write(connection, tenant_id, recordings)
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        if connection.closed or connection.broken:
            raise
        log.warning("What was recorded of a batch is not kept: %s", error)
    except psycopg.Error as error:
        log.error("What was recorded of a batch cannot be kept: %s", error)


def _write(connection: Connection, tenant_id: uuid.UUID, recordings: Sequence[Recording]) -> None:
    heard = [each for recording in recordings for each in recording.heard]
    beyond = sum(recording.beyond for recording in recordings)
    drafts = [(recording, draft) for recording in recordings for draft in recording.drafts.values()]
    samples = sum(draft.demand is None for _, draft in drafts)
    if heard or samples:
        room = _spend(connection, tenant_id, len(heard) + beyond, samples)
        unheard = heard[room.events :] or [each for recording in recordings for each in recording.dropped]
        _write_events(connection, tenant_id, heard[: room.events], unheard if room.reached else [])
        samples = room.samples
    if drafts:
        _write_traces(connection, tenant_id, drafts, samples)


def _spend(connection: Connection, tenant_id: uuid.UUID, events: int, samples: int) -> _Room:
    most = settings.TB_RULE_DEBUG_PER_MINUTE
    parameters = {
        "tenant": tenant_id, "minute": now_ms() // 60_000, "events": events, "samples": samples, "most": most,
    }  # fmt: skip
    row = psycopg.Cursor(connection).execute(_SPEND, parameters).fetchone()
    spent, sampled = row or (events, samples)
    before = spent - events
    return _Room(
        max(0, min(events, most - before)),
        max(0, min(samples, settings.TB_RULE_TRACE_PER_MINUTE - (sampled - samples))),
        before <= most < spent,
    )


def _write_events(
    connection: Connection, tenant_id: uuid.UUID, heard: Sequence[Heard], unheard: Sequence[Heard]
) -> None:
    """Write what was heard; where something was not, the first of it says so at its chain."""
    rows = [
        (each.ts, EventType.DEBUG_RULE_NODE.value, EntityType.RULE_NODE.value, uuid.UUID(bytes=each.node), _body(each))
        for each in heard
    ]
    if unheard:
        most = settings.TB_RULE_DEBUG_PER_MINUTE
        error = f"At most {most} debug events of a tenant are kept in a minute; further ones are only counted."
        body = json_bytes({"server": SERVER, "message": REACHED, "error": error}).decode()
        chain = uuid.UUID(bytes=unheard[0].chain)
        rows.append((unheard[0].ts, EventType.DEBUG_RULE_CHAIN.value, EntityType.RULE_CHAIN.value, chain, body))
    if rows:
        psycopg.Cursor(connection).execute(_EVENTS, [tenant_id, *_columns(rows)])


def _body(heard: Heard) -> str:
    """ThingsBoard's body of a DEBUG_RULE_NODE event; what it does not have is left out."""
    msg, most = heard.msg, settings.TB_RULE_DEBUG_MAX_BYTES
    body = {
        "server": SERVER,
        "type": heard.direction,
        "entityId": str(msg.originator.id),
        "entityType": msg.originator.type.value,
        "msgId": str(msg.key),
        "msgType": bounded.text(msg.type, 255)[0],
        "dataType": "JSON",
        "relationType": bounded.text(heard.relation, 255)[0],
        "data": bounded.text(msg.data.raw, most)[0],
        "metadata": bounded.json_text(msg.metadata, most),
        "error": bounded.text(heard.error, LONGEST_ERROR)[0],
    }
    return json_bytes({name: value for name, value in body.items() if value}).decode()


def _write_traces(
    connection: Connection, tenant_id: uuid.UUID, drafts: Sequence[tuple[Recording, Draft]], samples: int
) -> None:
    """Write as many traces of each demand as it still wants, and so many samples; with a demand's last one plans are anew."""
    wanted: dict[uuid.UUID, int] = {}
    for _, draft in drafts:
        if draft.demand is not None:
            wanted[draft.demand] = wanted.get(draft.demand, 0) + 1
    room: dict[uuid.UUID | None, int] = {None: samples}
    ended = False
    if wanted:
        parameters = [list(wanted), list(wanted.values())]
        for key, granted, done in psycopg.Cursor(connection).execute(_TAKE, parameters).fetchall():
            room[key] = granted
            ended = ended or done
    rows = []
    for recording, draft in drafts:
        if room.get(draft.demand, 0) > 0:
            room[draft.demand] -= 1
            rows.append(_trace(tenant_id, recording, draft))
    if rows:
        psycopg.Cursor(connection).execute(_TRACES, _columns(rows))
    if ended:
        psycopg.Cursor(connection).execute(_RAISE)


def _trace(tenant_id: uuid.UUID, recording: Recording, draft: Draft) -> tuple[Any, ...]:
    kind, originator_type, originator = draft.queued.row[:3]
    timeline, start = draft.timeline, draft.start
    wait_ms = recording.began * 1000 - draft.queued.appended if draft.queued.appended else 0
    return (
        new_id(),
        tenant_id,
        now_ms(),
        draft.demand,
        originator_type,
        uuid.UUID(bytes=originator),
        draft.queued.key(),
        bounded.text(kind, 255)[0],
        recording.queue[:64],
        None if start is None else uuid.UUID(bytes=start.graph.chain),
        "" if start is None else start.graph.name[:255],
        bounded.text(draft.error, LONGEST_ERROR)[0],
        recording.size,
        timeline.nodes,
        max(0, int(wait_ms * 1000)),
        int(timeline.run_us),
        int(recording.write_us),
        json_bytes(timeline.json(settings.TB_RULE_DEBUG_MAX_BYTES)).decode(),
    )


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
