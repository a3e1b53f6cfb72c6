"""PostgreSQL's parameters for this machine, for ingest: many small durable commits and much WAL."""

import os
from pathlib import Path

MB = 1024 * 1024
GB = 1024 * MB


def machine_memory() -> int:
    """Bytes of memory that we may use: the machine's, or the container's when that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        try:
            total = min(total, int(limit.read_text()))
        except (OSError, ValueError):
            continue
    return total


def parameters(memory: int, disk_free: int, *, lz4: bool, timescaledb: bool) -> dict[str, str]:
    """The parameters of the embedded server. `memory` and `disk_free` in bytes.

    Durability is PostgreSQL's own default, spelled out: fsync, full pages and synchronous commit stay on, an
    acknowledged point is on disk.
    """
    shared_buffers = max(256 * MB, min(memory // 8, 4 * GB))
    # Few checkpoints: after each one every page that is touched goes to the WAL whole. Recovery after a crash stays
    # within a minute or so at this size. Small disks get less.
    max_wal = max(1 * GB, min(4 * GB, disk_free // 5))
    values = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "shared_buffers": _mb(shared_buffers),
        "effective_cache_size": _mb(max(memory // 2, shared_buffers)),
        "maintenance_work_mem": _mb(max(64 * MB, min(memory // 16, 512 * MB))),
        "work_mem": "8MB",
        "max_wal_size": _mb(max_wal),
        "min_wal_size": _mb(max_wal // 4),
        "wal_buffers": "16MB",
        "wal_compression": "lz4" if lz4 else "on",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "jit": "off",  # our queries are short: compiling them costs more than it saves
        "max_connections": "200",
        "log_checkpoints": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    return values | _preloaded(timescaledb)


def throwaway_parameters(*, timescaledb: bool) -> dict[str, str]:
    """For a cluster that a test run throws away: nothing is ever waited for."""
    values = {
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "on",  # as in production: what it promises to readers differs, what it costs does not
        "shared_buffers": "128MB",
        "max_wal_size": "1GB",
        "checkpoint_timeout": "30min",
        "autovacuum_naptime": "10min",
        "jit": "off",
        "max_connections": "200",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    return values | _preloaded(timescaledb)


def _preloaded(timescaledb: bool) -> dict[str, str]:
    """TimescaleDB must be loaded with the server; what it would report to its makers stays here."""
    if not timescaledb:
        return {}
    return {"shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off"}


def as_file(values: dict[str, str]) -> str:
    """The parameters in the syntax of postgresql.conf."""
    return "".join(f"{name} = '{value}'\n" for name, value in values.items())


def _mb(count: int) -> str:
    return f"{count // MB}MB"
