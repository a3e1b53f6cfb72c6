"""Forgets old events and traces, in bites, so that nobody waits for it."""

from typing import Any

from django.conf import settings
from django.db import connection

from thingsboard.kernel.time import now_ms

DAY_MS = 86_400_000
BITE = 5_000  # rows of one statement
MOST_BITES = 200  # of one call: what is left is for the next one

_OLD = "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {time} < %s LIMIT %s FOR UPDATE SKIP LOCKED)"
_EVENTS = """
    DELETE FROM rules_ruleevent WHERE id IN (
        SELECT surplus.id FROM (
            SELECT entity_id, type FROM rules_ruleevent GROUP BY entity_id, type HAVING count(*) > %s
        ) full_one CROSS JOIN LATERAL (
            SELECT id FROM rules_ruleevent e WHERE e.entity_id = full_one.entity_id AND e.type = full_one.type
            ORDER BY created_time DESC, id DESC OFFSET %s LIMIT %s
        ) surplus LIMIT %s
    )
"""
_TRACES = """
    DELETE FROM rules_trace WHERE id IN (
        SELECT surplus.id FROM (
            SELECT tenant_id FROM rules_trace GROUP BY tenant_id HAVING count(*) > %s
        ) full_one CROSS JOIN LATERAL (
            SELECT id FROM rules_trace t WHERE t.tenant_id = full_one.tenant_id
            ORDER BY created_time DESC, id DESC OFFSET %s LIMIT %s
        ) surplus LIMIT %s
    )
"""


def forget() -> int:
    """Remove what is older than TB_RULE_DEBUG_DAYS, and what is beyond TB_RULE_DEBUG_PER_NODE of a node and type, or
    TB_RULE_TRACES_PER_TENANT of a tenant: the oldest first. Returns how many rows.
    """
    horizon = now_ms() - settings.TB_RULE_DEBUG_DAYS * DAY_MS
    gone = 0
    for table, time in (
        ("rules_ruleevent", "created_time"),
        ("rules_trace", "created_time"),
        ("rules_tracedemand", "until"),
    ):
        gone += _bites(_OLD.format(table=table, time=time), [horizon, BITE])
    for sql, kept in (
        (_EVENTS, settings.TB_RULE_DEBUG_PER_NODE),
        (_TRACES, settings.TB_RULE_TRACES_PER_TENANT),
    ):
        gone += _bites(sql, [kept, kept, BITE, BITE])
    return gone


def _bites(sql: str, parameters: list[Any]) -> int:
    """Until nothing is left, or it is enough; each bite is a transaction of its own."""
    gone: int = 0
    with connection.cursor() as cursor:
        for _ in range(MOST_BITES):
            cursor.execute(sql, parameters)
            bite: int = cursor.rowcount
            gone += bite
            if bite < BITE:
                break
    return gone
