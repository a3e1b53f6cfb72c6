"""The store by itself: rows per CPU second (client + server) of whole transactions, beside a plain binary COPY.

Needs a database whose migrations are done (DATABASE_URL); rows are removed afterwards. Ends by itself in about a minute.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import psycopg

MESSAGES_PER_BATCH = 500
BATCHES = 60
Write = Any


def batches(devices: int, start_ts: int) -> Iterator[list[Write]]:
    """Endless batches of smart-meter messages (3 points each) from that many devices."""
    from telemetry.writer import Write as W

    tenant = uuid.UUID(int=1).bytes
    entities = [uuid.UUID(int=(2 << 64) + number).bytes for number in range(devices)]
    number = 0
    while True:
        batch = []
        for _ in range(MESSAGES_PER_BATCH):
            ts = start_ts + number // devices
            values = {"pulseCounter": number, "leakage": False, "batteryLevel": 93}
            batch.append(W(tenant, [(entities[number % devices], ts, values)]))
            number += 1
        yield batch


def measure(connection: "psycopg.Connection[Any]", write: Callable[[Any], object], source: Iterator[Any]) -> float:
    """Rows per CPU second of this process and the connection's server process together."""
    server = psutil.Process(connection.info.backend_pid)
    for _ in range(5):
        write(next(source))
    prepared = [next(source) for _ in range(BATCHES)]

    def used() -> float:
        times = server.cpu_times()
        return time.process_time() + times.user + times.system

    before = used()
    for batch in prepared:
        write(batch)
    return BATCHES * MESSAGES_PER_BATCH * 3 / (used() - before)


def run() -> list[tuple[str, float, float]]:
    """Rows of (what, rows per CPU second, ratio to plain COPY), best of three."""
    from telemetry import keys
    from telemetry.store.batch import _COPY, _copy_body, gather
    from telemetry.store.connect import connect
    from telemetry.writer import IngestWriter

    table = []
    for devices in (500, 50_000):
        writer = IngestWriter()
        writer_connection = writer._connect()
        plain = connect("thingsboard benchmark")
        # a logged table, as history is one
        plain.execute("DROP TABLE IF EXISTS benchmark_plain")
        plain.execute("CREATE TABLE benchmark_plain (LIKE ts_kv, PRIMARY KEY (entity_id, key_id, ts))")
        tenant = uuid.UUID(int=1).bytes
        writer.commit(next(batches(devices, 1)))
        ids = {tenant: keys.cache.of(tenant)}

        def copy(body: bytes, plain: "psycopg.Connection[Any]" = plain) -> None:
            with plain.cursor().copy(_COPY.replace("ts_kv", "benchmark_plain")) as copying:
                copying.write(body)

        now = int(time.time() * 1000)
        bodies = (_copy_body(gather(batch, ids).history) for batch in batches(devices, now))
        fastest_copy = fastest_store = 0.0
        source = batches(devices, now)
        for _ in range(3):
            fastest_copy = max(fastest_copy, measure(plain, copy, bodies))
            fastest_store = max(fastest_store, measure(writer_connection, writer.commit, source))
        table.append((f"plain binary COPY, {devices} devices", fastest_copy, 1.0))
        table.append((f"whole transaction, {devices} devices", fastest_store, fastest_store / fastest_copy))
        plain.execute("DROP TABLE benchmark_plain")
        plain.close()
        for name in ("ts_kv", "ts_latest"):
            writer_connection.execute(
                f"DELETE FROM {name} WHERE entity_id >= %s AND entity_id < %s",
                [uuid.UUID(int=2 << 64), uuid.UUID(int=3 << 64)],
            )
        writer.close()
    return table


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thingsboard.settings")
    import django

    django.setup()
    for what, rate, ratio in run():
        print(f"{what:45} {rate:10,.0f} rows/CPU-s   {ratio:.2f}")
