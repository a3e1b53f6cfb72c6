"""The upkeep of history: partitions ahead of time, far points moved in when their time comes, old data dropped by age.

Devices do not choose our DDL (architecture.md 4): only [now - TB_TS_PAST_DAYS, now + TB_TS_FUTURE_DAYS] has partitions or
chunks of its own. Everything else lives in `ts_kv_far` until this task moves it, outside ingest.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction

from telemetry.points import END_OF_TIME_MS
from thingsboard.kernel.time import now_ms

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
# Held shared by every TimescaleDB ingest transaction, exclusively while the window moves.
WINDOW_LOCK = 7_462_001
COMPRESSION_LOG = "TimescaleDB without its community licence: history is neither compressed nor dropped by age."


def is_timescale(connection: Any) -> bool:
    """Whether `ts_kv` is a hypertable in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relkind FROM pg_class WHERE oid = 'ts_kv'::regclass")
        return bool(cursor.fetchone()[0] == "r")


def maintain(connection: Any) -> None:
    """Bring the partitions (or the window, and TimescaleDB's policies) up to the present. Idempotent, short locks.

    `connection` is a Django connection. A lock that cannot be had within 3 s is left for the next run, with a warning.
    """
    _forget_writers(connection)
    now, kept = now_ms(), settings.TB_TS_RETENTION_DAYS
    oldest = now - kept * DAY_MS if kept else 0  # nothing is made for what would be dropped at once
    low = max(now - settings.TB_TS_PAST_DAYS * DAY_MS, oldest, 0)
    high = now + settings.TB_TS_FUTURE_DAYS * DAY_MS
    if is_timescale(connection):
        _move_window(connection, low, high, oldest)
        _set_policies(connection)
    else:
        for name, start, end in months(low, high):
            if not _ensure_partition(connection, name, start, end):
                break  # whoever holds the lock holds it for the next month as well
        _drop_old_partitions(connection)


def _forget_writers(connection: Any) -> None:
    """Writers of processes that ended; one that lives and was silent so long makes its row anew."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ts_writer WHERE at < now() - interval '7 days'")


def months(low: int, high: int) -> list[tuple[str, int, int]]:
    """The calendar months (UTC) that cover [low, high] ms: name of the partition, start and end (exclusive) in ms."""
    first = datetime.fromtimestamp(low / 1000, UTC)
    year, month = first.year, first.month
    found: list[tuple[str, int, int]] = []
    while True:
        start = _month_start(year, month)
        if start > high:
            return found
        following = (year + 1, 1) if month == 12 else (year, month + 1)
        found.append((f"ts_kv_{year}_{month:02d}", start, _month_start(*following)))
        year, month = following


def _month_start(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000)


def _ensure_partition(connection: Any, name: str, start: int, end: int) -> bool:
    """Create and attach one month, taking along what waits for it in the far partition. False when it has to wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is not None:
            return True
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '3s'")
            cursor.execute("LOCK TABLE ts_kv_far IN ACCESS EXCLUSIVE MODE")
            cursor.execute("SELECT to_regclass(%s)", [name])
            if cursor.fetchone()[0] is not None:
                return True
            # INCLUDING INDEXES gives the copy the primary key that attaching then adopts
            cursor.execute(f"CREATE TABLE {name} (LIKE ts_kv INCLUDING DEFAULTS INCLUDING INDEXES)")
            cursor.execute(
                f"WITH moved AS (DELETE FROM ts_kv_far WHERE ts >= %s AND ts < %s RETURNING *) "
                f"INSERT INTO {name} SELECT * FROM moved",
                [start, end],
            )
            cursor.execute(f"ALTER TABLE ts_kv ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})")
    except OperationalError as error:
        log.warning("Partition %s has to wait for the next run: %s", name, error)
        return False
    return True


def _drop_old_partitions(connection: Any) -> None:
    days = settings.TB_TS_RETENTION_DAYS
    if not days:
        return
    horizon = now_ms() - days * DAY_MS
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'ts_kv'::regclass AND c.relname ~ '^ts_kv_[0-9]{4}_[0-9]{2}$'"
        )
        names = [row[0] for row in cursor.fetchall()]
    for name in sorted(names):
        year, month = int(name[6:10]), int(name[11:13])
        end = _month_start(year + 1, 1) if month == 12 else _month_start(year, month + 1)
        if end <= horizon:
            try:
                with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '3s'")
                    cursor.execute(f"DROP TABLE {name}")
                log.info("Dropped %s: older than %d days.", name, days)
            except OperationalError as error:
                log.warning("Partition %s has to wait for the next run: %s", name, error)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ts_kv_far WHERE ts < %s", [horizon])


def _move_window(connection: Any, low: int, high: int, oldest: int) -> None:
    """TimescaleDB: move the far points whose time has come into the hypertable, and the window with them.

    Its start rises only with what retention drops (up to `oldest`): a point that is in the hypertable and comes again
    must find its place there, or it would be stored twice.
    """
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '3s'")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WINDOW_LOCK])
            cursor.execute("SELECT least(%s, greatest(low, %s)) FROM ts_window", [low, oldest])
            (low,) = cursor.fetchone() or (low,)
            cursor.execute(
                "WITH moved AS (DELETE FROM ts_kv_far WHERE ts >= %s AND ts < %s RETURNING *) "
                "INSERT INTO ts_kv SELECT * FROM moved ON CONFLICT (entity_id, key_id, ts) DO NOTHING",
                [low, high],
            )
            cursor.execute("DELETE FROM ts_window")
            cursor.execute("INSERT INTO ts_window VALUES (%s, %s)", [low, min(high, END_OF_TIME_MS)])
    except OperationalError as error:
        log.warning("The window of chunks has to wait for the next run: %s", error)


def _set_policies(connection: Any) -> None:
    """TimescaleDB: compression and retention as the settings say now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('timescaledb.license', true)")
        if cursor.fetchone()[0] != "timescale":
            log.warning(COMPRESSION_LOG)
            return
        _set_policy(cursor, "compression", "compress_after", settings.TB_TS_COMPRESS_AFTER_DAYS)
        _set_policy(cursor, "retention", "drop_after", settings.TB_TS_RETENTION_DAYS)
        if settings.TB_TS_RETENTION_DAYS:
            cursor.execute("DELETE FROM ts_kv_far WHERE ts < %s", [now_ms() - settings.TB_TS_RETENTION_DAYS * DAY_MS])


def _set_policy(cursor: Any, kind: str, option: str, days: int) -> None:
    """One policy, left alone when it is as it should be: a new job would begin anew with its schedule and its record."""
    cursor.execute(
        "SELECT (config->>%s)::bigint FROM timescaledb_information.jobs "
        "WHERE hypertable_schema = current_schema AND hypertable_name = 'ts_kv' AND proc_name = %s",
        [option, f"policy_{kind}"],
    )
    if cursor.fetchall() == ([(days * DAY_MS,)] if days else []):
        return
    cursor.execute(f"SELECT remove_{kind}_policy('ts_kv', if_exists => true)")
    if days:
        cursor.execute(f"SELECT add_{kind}_policy('ts_kv', {option} => %s::bigint)", [days * DAY_MS])
