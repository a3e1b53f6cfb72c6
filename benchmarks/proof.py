"""The yardstick: the least that can take MQTT QoS 1 and acknowledge after COMMIT, in plain Python on plain PostgreSQL.

No broker, no tenants, no limits, no checks: tokens are device names, keys have fixed ids, one batch at a time goes
through one thread (history by binary COPY row by row, latest values by one upsert). What the platform costs beyond this
is the price of being a platform; benchmarks/ingest.py shows it as a ratio, with both measured in one run.

Run it as `python -m benchmarks.proof PORT DSN`; it serves until SIGTERM. Its tables are dropped at the start.
"""

import asyncio
import gc
import signal
import sys
import time
import uuid

import orjson
import psycopg
import uvloop

KEYS = {"pulseCounter": 1, "leakage": 2, "batteryLevel": 3}
COLUMNS = "entity_id uuid, key_id int, ts bigint, bool_v bool, long_v bigint, dbl_v float8"
TABLES = f"""
    DROP TABLE IF EXISTS proof_history, proof_latest;
    CREATE TABLE proof_history ({COLUMNS}, PRIMARY KEY (entity_id, key_id, ts));
    CREATE TABLE proof_latest ({COLUMNS}, PRIMARY KEY (entity_id, key_id)) WITH (fillfactor = 50);
"""
COPY = "COPY proof_history (entity_id, key_id, ts, bool_v, long_v, dbl_v) FROM STDIN (FORMAT BINARY)"
UPSERT = """
    INSERT INTO proof_latest
    SELECT * FROM unnest(%b::uuid[], %b::int4[], %b::int8[], %b::bool[], %b::int8[], %b::float8[])
    ON CONFLICT (entity_id, key_id) DO UPDATE
    SET ts = excluded.ts, bool_v = excluded.bool_v, long_v = excluded.long_v, dbl_v = excluded.dbl_v
    WHERE proof_latest.ts <= excluded.ts
"""

Message = tuple["Session", bytes, bytes]  # who, payload, packet id
Row = tuple[uuid.UUID, int, int, bool | None, int | None, float | None]


class Store:
    """One connection, one transaction a batch."""

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn, autocommit=True)
        self._connection.execute(TABLES)
        self._last: dict[uuid.UUID, int] = {}

    def save(self, batch: list[Message]) -> None:
        """History and latest values of a batch, committed when this returns."""
        rows: list[Row] = []
        latest: dict[tuple[uuid.UUID, int], Row] = {}
        now = int(time.time() * 1000)
        for session, payload, _ in batch:
            entity, message = session.entity, orjson.loads(payload)
            ts = message.get("ts")
            if ts is None:
                ts = self._last[entity] = max(now, self._last.get(entity, 0) + 1)
            else:
                message = message["values"]
            for name, value in message.items():
                key = KEYS[name]
                row: Row
                if value is True or value is False:
                    row = (entity, key, ts, value, None, None)
                elif type(value) is int:
                    row = (entity, key, ts, None, value, None)
                else:
                    row = (entity, key, ts, None, None, float(value))
                rows.append(row)
                latest[entity, key] = row
        newest = sorted(latest.values(), key=lambda row: (row[0].int, row[1]))
        with self._connection.transaction(), self._connection.cursor() as cursor:
            with cursor.copy(COPY) as copy:
                copy.set_types(["uuid", "int4", "int8", "bool", "int8", "float8"])
                for row in rows:
                    copy.write_row(row)
            cursor.execute(UPSERT, [list(column) for column in zip(*newest, strict=True)])


class Session(asyncio.Protocol):
    """One connection: CONNECT is believed, PUBLISH goes to the batch, everything else is ignored."""

    def __init__(self, batches: "Batches") -> None:
        self._batches, self._rest = batches, b""
        self.entity = uuid.UUID(int=0)
        self.acks: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take whole packets, keep the rest."""
        data = self._rest + data
        position, size = 0, len(data)
        while size - position >= 2:
            length, start = data[position + 1], position + 2
            if length & 0x80:  # two bytes of length carry 16 KB, more than any message here has
                if size - position < 3:
                    break
                length, start = length & 0x7F | data[position + 2] << 7, position + 3
            end = start + length
            if end > size:
                break
            if data[position] & 0xF0 == 0x30:
                topic_end = start + 2 + (data[start] << 8 | data[start + 1])
                self._batches.add((self, data[topic_end + 2 : end], data[topic_end : topic_end + 2]))
            elif data[position] == 0x10:
                self.entity = uuid.uuid5(uuid.NAMESPACE_OID, data[start:end].hex())
                self.write(b"\x20\x02\x00\x00")
            position = end
        self._rest = data[position:]

    def write(self, data: bytes) -> None:
        """Send, unless the device has left."""
        if not self._transport.is_closing():
            self._transport.write(data)  # type: ignore[attr-defined]


class Batches:
    """Gathers messages while a batch commits; acknowledges each session's in one write."""

    def __init__(self, store: Store) -> None:
        self._store, self._waiting = store, asyncio.Event()
        self._messages: list[Message] = []

    def add(self, message: Message) -> None:
        """Take one message."""
        self._messages.append(message)
        self._waiting.set()

    async def run(self) -> None:
        """One batch after the other, for ever."""
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            batch, self._messages = self._messages, []
            await asyncio.to_thread(self._store.save, batch)
            sessions = set()
            for session, _, packet_id in batch:
                session.acks.append(b"\x40\x02" + packet_id)
                sessions.add(session)
            for session in sessions:
                session.write(b"".join(session.acks))
                session.acks.clear()


async def serve(port: int, dsn: str) -> None:
    """Listen on the loopback until SIGTERM."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    batches = Batches(Store(dsn))
    committing = asyncio.create_task(batches.run())
    committing.add_done_callback(lambda task: ended.set())
    server = await loop.create_server(lambda: Session(batches), "127.0.0.1", port, backlog=4096)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    await ended.wait()
    server.close()
    committing.cancel()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), sys.argv[2]))
