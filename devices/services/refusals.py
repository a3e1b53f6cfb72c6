"""What transports refused: how it is written, bounded and forgotten. SQL and pure functions, no ORM on the way in.

A transport gathers identical refusals in memory and writes them in one statement on a connection of its own
(thingsboard/transports/refusals.py):

    fresh = await line.rows(RECORD_SQL, parameters(refusals))
    await line.rows(TRIM_SQL, trim_parameters(fresh))
"""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from devices.services.identity import lookup_of
from thingsboard.kernel.time import now_ms

DAY_MS = 86_400_000
# Rows that one statement removes at most.
MOST_AT_ONCE = 5_000

# One array per column, in the order of `parameters`. Answers with the owners who got rows of a new kind.
RECORD_SQL = """
    WITH written AS (
        INSERT INTO devices_refusal AS old (
            digest, window_start, tenant_id, device_id, transport, address, reason, message, token_prefix, lookup,
            client_id, count, first_time, last_time
        )
        SELECT * FROM unnest(
            %s::bytea[], %s::bigint[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[],
            %s::text[], %s::bytea[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[]
        )
        ON CONFLICT (digest, window_start) DO UPDATE SET
            count = old.count + excluded.count, last_time = greatest(old.last_time, excluded.last_time),
            message = excluded.message, client_id = excluded.client_id
        RETURNING tenant_id, (xmax = 0) AS fresh
    )
    SELECT DISTINCT tenant_id FROM written WHERE fresh
"""


def shown(token: str, password: bytes = b"") -> bytes:
    """The lookup under which is found what became of whoever showed this: a token alone, or a name with its password."""
    return lookup_of(f"{token}\0{password.hex()}" if password else token)


# Keeps the newest rows of each owner.
TRIM_SQL = """
    WITH gone AS (
        DELETE FROM devices_refusal WHERE id IN (
            SELECT surplus.id FROM unnest(%s::uuid[]) AS owner(id) CROSS JOIN LATERAL (
                SELECT id FROM devices_refusal WHERE tenant_id = owner.id
                ORDER BY last_time DESC OFFSET %s LIMIT %s
            ) AS surplus
            UNION ALL
            SELECT surplus.id FROM (
                SELECT id FROM devices_refusal WHERE tenant_id IS NULL AND %s
                ORDER BY last_time DESC OFFSET %s LIMIT %s
            ) AS surplus
        ) RETURNING 1
    )
    SELECT count(*) FROM gone
"""


class Kind(NamedTuple):
    """What makes refusals identical. Without an identity `tenant` and `device` are None; `lookup` is b"" where no token
    was shown.
    """

    tenant: uuid.UUID | None
    device: uuid.UUID | None
    lookup: bytes
    transport: str
    address: str
    reason: str


@dataclass(slots=True)
class Noted:
    """Identical refusals that are not written yet. Times in ms; texts short enough for their columns and printable."""

    message: str
    token_prefix: str
    client_id: str
    first_time: int
    last_time: int
    count: int = 1


def parameters(refusals: Iterable[tuple[Kind, Noted]]) -> list[list[Any]]:
    """The arrays of RECORD_SQL, in the order in which every process locks rows. Each kind may come once."""
    window = int(settings.TB_REFUSALS_WINDOW_SECONDS * 1000)
    rows = [
        (
            hashlib.blake2b(repr(kind).encode(), digest_size=16).digest(), noted.first_time // window * window,
            kind.tenant, kind.device, kind.transport, kind.address, kind.reason, noted.message, noted.token_prefix,
            kind.lookup or None, noted.client_id, noted.count, noted.first_time, noted.last_time,
        )
        for kind, noted in refusals
    ]  # fmt: skip
    rows.sort(key=lambda row: row[:2])
    return [list(column) for column in zip(*rows, strict=True)]


def trim_parameters(fresh: Sequence[Sequence[uuid.UUID | None]]) -> list[Any]:
    """The parameters of TRIM_SQL for the answer of RECORD_SQL."""
    owners = [row[0] for row in fresh]
    keep = settings.TB_REFUSALS_PER_TENANT
    tenants = [owner for owner in owners if owner is not None]
    return [tenants, keep, MOST_AT_ONCE, None in owners, keep, MOST_AT_ONCE]


def forget_old() -> int:
    """Remove what was last refused longer than TB_REFUSALS_DAYS ago; returns how many rows."""
    horizon: int = now_ms() - settings.TB_REFUSALS_DAYS * DAY_MS
    removed: int = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "DELETE FROM devices_refusal WHERE id IN "
                "(SELECT id FROM devices_refusal WHERE last_time < %s LIMIT %s FOR UPDATE SKIP LOCKED)",
                [horizon, MOST_AT_ONCE],
            )
            gone: int = cursor.rowcount
            removed += gone
            if gone < MOST_AT_ONCE:
                return removed
