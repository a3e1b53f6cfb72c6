"""What it costs to see that a lane of the queue is empty, after a million rows went through it while an old snapshot was open.

The snapshot keeps PostgreSQL from clearing away what was processed, as a long backup does; how old it is by the clock does not
matter. The reference is the same look without the memory of where to begin.
"""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator

import psycopg

from thingsboard.embedded.addresses import database_url
from thingsboard.kernel.outbox import encode, flow_id
from thingsboard.kernel.outbox.claims import Flow, Looks, take

from .ground import ROOT, Ground, Row

ROWS = 1_000_000
AT_ONCE = 50_000  # rows that wait at a time
LOOKS = 500
TENANT = uuid.UUID(int=7)
FLOW = Flow(flow_id(TENANT.bytes, "Main", 0), TENANT, "Main", 0)
_FILL = (
    "INSERT INTO kernel_outboxrow (flow_id, messages, done, size, attempts, retries, not_before, created_time, body) "
    "SELECT %s, 1, 0, %s, 0, 0, 0, 0, %s FROM generate_series(1, %s)"
)
TARGET_MS = 2.0


def run(ground: Ground) -> Iterator[Row]:
    """p99 of an empty look (ms), with and without its memory."""
    url = database_url(ground.data_dir)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("CREATE DATABASE looks")
        try:
            yield from _measure(url.replace("/thingsboard?", "/looks?"))
        finally:
            server.execute("DROP DATABASE looks WITH (FORCE)")


def _measure(dsn: str) -> Iterator[Row]:
    command = [sys.executable, "manage.py", "migrate", "kernel", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": dsn}, check=True, timeout=120)
    with psycopg.connect(dsn) as old, psycopg.connect(dsn, autocommit=True) as connection:
        old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT count(*) FROM kernel_outboxrow")  # from here on nothing that dies can be cleared away
        connection.execute(
            "INSERT INTO kernel_outboxflow (id, tenant_id, queue, lane) VALUES (%s, %s, 'Main', 0)", [FLOW.id, TENANT]
        )
        looks = Looks(connection)
        _process(connection, looks)
        looks.ready(1, 0)
        remembered = _times(looks, forget=False)
        forgetful = _times(looks, forget=True)
    yield Row("empty look that begins anew", forgetful, "ms p99", None, f"{ROWS:,} rows processed, old snapshot open")
    yield Row("empty look", remembered, "ms p99", remembered / forgetful, f"target {TARGET_MS:g} ms")


def _process(connection: "psycopg.Connection[tuple]", looks: Looks) -> None:
    """Put a million rows through the flow as drains do."""
    body = encode([])
    for _ in range(ROWS // AT_ONCE):
        connection.execute(_FILL, [FLOW.id, len(body), body, AT_ONCE])
        while True:
            with connection.transaction():
                heads = looks.claim(FLOW, 2000)
            if not heads:
                break
            with connection.transaction():
                take(connection, heads)


def _times(looks: Looks, *, forget: bool) -> float:
    """p99 of looks at the empty flow, in ms."""
    found = []
    for _ in range(LOOKS if not forget else LOOKS // 10):
        if forget:
            looks.since.clear()
        began = time.perf_counter()
        looks.ready(1, 0)
        found.append(1000 * (time.perf_counter() - began))
    return sorted(found)[int(len(found) * 0.99)]
