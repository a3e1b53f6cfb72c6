"""Who does stored work: looks for what is due, claims, renewed and returned leases.

Every verb is one statement and so a short transaction of its own, committed before anything is sent anywhere. A claim moves
`due_time` to the end of its lease: one index answers what is free and what was abandoned. A claim counts as a try, so that
work that ends its worker is found.

Nothing walks over what waits: a look steps from one (tenant, destination) to the next, however many rows each has.
"""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import psycopg

from thingsboard.kernel.effects.store import NOW

Connection = psycopg.Connection[Any]

MOST_TENANTS = 1000  # of one look
MOST_DESTINATIONS = 64  # of a tenant in one look; the next look begins behind them
NOBODY = uuid.UUID(int=0)

_LOOK = f"""
    WITH RECURSIVE tenants(tenant_id) AS (
        (SELECT tenant_id FROM kernel_effect WHERE NOT parked AND tenant_id > %(after)s ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT e.tenant_id FROM kernel_effect e WHERE NOT e.parked AND e.tenant_id > t.tenant_id
                ORDER BY e.tenant_id LIMIT 1)
        FROM tenants t WHERE t.tenant_id IS NOT NULL
    )
    SELECT t.tenant_id, d.destination, d.due_time <= {NOW}
    FROM (SELECT tenant_id FROM tenants WHERE tenant_id IS NOT NULL LIMIT %(tenants)s) t
    LEFT JOIN unnest(%(known)s::uuid[], %(behind)s::text[]) AS k(tenant_id, destination) ON k.tenant_id = t.tenant_id
    CROSS JOIN LATERAL (
        WITH RECURSIVE places(destination) AS (
            (SELECT e.destination FROM kernel_effect e WHERE NOT e.parked AND e.tenant_id = t.tenant_id
                AND e.destination > coalesce(k.destination, '') ORDER BY e.destination LIMIT 1)
            UNION ALL
            SELECT (SELECT e.destination FROM kernel_effect e WHERE NOT e.parked AND e.tenant_id = t.tenant_id
                    AND e.destination > p.destination ORDER BY e.destination LIMIT 1)
            FROM places p WHERE p.destination IS NOT NULL
        )
        SELECT p.destination, (
            SELECT e.due_time FROM kernel_effect e WHERE NOT e.parked AND e.tenant_id = t.tenant_id
                AND e.destination = p.destination ORDER BY e.due_time LIMIT 1
        ) AS due_time
        FROM places p WHERE p.destination IS NOT NULL LIMIT %(destinations)s
    ) d
"""  # noqa: S608
_CLAIM = f"""
    UPDATE kernel_effect e
    SET lease = %(lease)s, due_time = {NOW} + %(lease_ms)s, attempts = least(e.attempts + 1, 32767)
    FROM (
        SELECT found.id FROM unnest(%(tenants)s::uuid[], %(destinations)s::text[], %(most)s::int[])
            AS w(tenant_id, destination, most)
        CROSS JOIN LATERAL (
            SELECT f.id FROM kernel_effect f
            WHERE NOT f.parked AND f.tenant_id = w.tenant_id AND f.destination = w.destination AND f.due_time <= {NOW}
            ORDER BY f.due_time, f.id LIMIT w.most FOR UPDATE SKIP LOCKED
        ) found
    ) mine
    WHERE e.id = mine.id
    RETURNING e.id, e.tenant_id, e.destination, e.queue, e.size, e.attempts, e.created_time
"""  # noqa: S608
_BODIES = "SELECT id, body FROM kernel_effect WHERE id = ANY(%s)"
_MINE = "unnest(%(ids)s::bigint[], %(leases)s::bigint[]) AS w(id, lease) WHERE e.id = w.id AND e.lease = w.lease"
_RENEW = f"UPDATE kernel_effect e SET due_time = {NOW} + %(lease_ms)s FROM {_MINE} RETURNING e.id"  # noqa: S608
_RELEASE = f"""
    UPDATE kernel_effect e SET due_time = {NOW}, lease = 0, attempts = greatest(e.attempts - 1, 0) FROM {_MINE}
"""  # noqa: S608
_PUT_OFF = f"""
    UPDATE kernel_effect e SET due_time = {NOW} + w.pause, lease = 0
    FROM unnest(%(ids)s::bigint[], %(leases)s::bigint[], %(pauses)s::bigint[]) AS w(id, lease, pause)
    WHERE e.id = w.id AND e.lease = w.lease
"""  # noqa: S608


class Waiting(NamedTuple):
    """Stored work of a tenant for a destination; `due`: some of it can be claimed now."""

    tenant_id: uuid.UUID
    destination: str
    due: bool


class Claim(NamedTuple):
    """So much is wanted of a tenant's work for a destination."""

    tenant_id: uuid.UUID
    destination: str
    most: int


class Claimed(NamedTuple):
    """Work that is ours until the lease ends. `attempts`: with this one; `created_time`: ms since 1970."""

    id: int
    lease: int
    tenant_id: uuid.UUID
    destination: str
    queue: str
    size: int  # bytes of the body
    attempts: int
    created_time: int
    body: bytes = b""


Lease = tuple[int, int]  # id of the work, and the number that proves it ours


def look(
    connection: Connection,
    behind: Mapping[uuid.UUID, str],
    *,
    after: uuid.UUID = NOBODY,
    tenants: int = MOST_TENANTS,
    destinations: int = MOST_DESTINATIONS,
) -> list[Waiting]:
    """Which tenants have stored work for whom. Of the tenants behind `after` the first `tenants`, of each the first
    `destinations`, or those behind the one that `behind` names.
    """
    parameters = {
        "after": after, "known": list(behind), "behind": list(behind.values()), "tenants": tenants,
        "destinations": destinations,
    }  # fmt: skip
    rows = psycopg.Cursor(connection).execute(_LOOK, parameters, prepare=True).fetchall()
    return [Waiting(*row) for row in rows]


def claim(connection: Connection, wanted: Sequence[Claim], lease_s: float, most_bytes: int) -> list[Claimed]:
    """Claim what is due of the wanted, the oldest first, for so many seconds. Waits for nobody: what another one holds is not
    there. Only bodies of up to `most_bytes` in all are read, or one; what has more is given back at once.
    """
    asked = [each for each in wanted if each.most > 0]
    if not asked:
        return []
    lease = secrets.randbits(62) + 1
    parameters = {
        "lease": lease,
        "lease_ms": int(lease_s * 1000),
        "tenants": [each.tenant_id for each in asked],
        "destinations": [each.destination for each in asked],
        "most": [each.most for each in asked],
    }
    rows = psycopg.Cursor(connection).execute(_CLAIM, parameters, prepare=True).fetchall()
    claimed = sorted(Claimed(row[0], lease, *row[1:]) for row in rows)
    kept: list[Claimed] = []
    size = 0
    for each in claimed:
        size += each.size
        if size <= most_bytes or not kept:
            kept.append(each)
    if len(kept) < len(claimed):
        mine = {each.id for each in kept}
        release(connection, [(each.id, lease) for each in claimed if each.id not in mine])
    found = psycopg.Cursor(connection).execute(_BODIES, [[each.id for each in kept]], prepare=True, binary=True)
    bodies = dict(found.fetchall())
    return [each._replace(body=bodies[each.id]) for each in kept if each.id in bodies]


def renew(connection: Connection, leases: Sequence[Lease], lease_s: float) -> set[int]:
    """Keep them for so many seconds from now; returns the ids of those that are still ours."""
    rows = psycopg.Cursor(connection).execute(_RENEW, {**_ours(leases), "lease_ms": int(lease_s * 1000)}).fetchall()
    return {row[0] for row in rows}


def release(connection: Connection, leases: Sequence[Lease]) -> None:
    """Give them back: others may begin at once, and it was no try."""
    psycopg.Cursor(connection).execute(_RELEASE, _ours(leases))


def put_off(connection: Connection, pauses: Mapping[Lease, float]) -> None:
    """Have them tried again after so many seconds each."""
    milliseconds = [int(pause * 1000) for pause in pauses.values()]
    psycopg.Cursor(connection).execute(_PUT_OFF, {**_ours(list(pauses)), "pauses": milliseconds})


def _ours(leases: Sequence[Lease]) -> dict[str, list[int]]:
    return {"ids": [each[0] for each in leases], "leases": [each[1] for each in leases]}
