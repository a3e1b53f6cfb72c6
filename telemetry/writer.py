"""The writer of a shard: one batch, one transaction, on a connection of its own (architecture.md 4).

What it promises: `commit` returns only after COMMIT; what it returns as refused was not written, everything else was.

When the connection is lost while a COMMIT is under way, the next attempt asks the server what became of it instead of
guessing. It asks for a row that the transaction itself wrote, not for `pg_xact_status`: transaction numbers that were
not on disk when a server crashed are given out again, so another transaction's COMMIT would be taken for ours.
"""

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from psycopg import errors

from telemetry import keys
from telemetry.store.batch import Batch, Server, Write, gather, introspect, send
from telemetry.store.connect import connect
from telemetry.store.maintenance import WINDOW_LOCK
from thingsboard.kernel.batch import Refused, Unavailable
from thingsboard.kernel.disk import watch

__all__ = ["IngestWriter", "Write"]

log = logging.getLogger(__name__)

# After a point turned out to be there already: how many batches overwrite instead of trying COPY first.
MERGES_AFTER_A_CONFLICT = 50
MOST_CONTENTION_RETRIES = 10
MOST_FULL_TENANTS = 10_000

_BEGIN = "BEGIN"
_KNOWN = "INSERT INTO ts_writer VALUES (%s, 0, now()) ON CONFLICT (id) DO NOTHING"
_NUMBER = "INSERT INTO ts_writer VALUES (%b, %b, now()) ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, at = excluded.at"
# Waits for a transaction of ours that the server is still ending: it holds the row.
_LAST = "SELECT batch FROM ts_writer WHERE id = %s FOR UPDATE"
_LOCK_WINDOW = f"SELECT pg_advisory_xact_lock_shared({WINDOW_LOCK})"
_WINDOW = "SELECT low, high FROM ts_window"


# Adds to the transaction of a batch: gets its connection, and the writes that were refused, by index. Called again where the
# transaction has to begin anew.
Also = Callable[[psycopg.Connection[Any], Mapping[int, Refused]], None]


class Outdated(Exception):
    """What the caller relied on is no longer so. Nothing was committed."""


class Guard(NamedTuple):
    """What a batch relies on: one number that `sql` reads in its transaction."""

    sql: str
    number: int


class IngestWriter:
    """Used by one thread."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection[Any] | None = None
        self._server: Server | None = None
        self._id = uuid.uuid4()
        self._number = 0  # of the transaction that was begun last
        self._in_doubt: tuple[int, dict[int, Refused]] | None = None  # its COMMIT got no answer; what it left out
        self._merges = 0
        self._full_until: dict[bytes, float] = {}

    def commit(
        self, writes: Sequence[Write], *, also: Also | None = None, guard: Guard | None = None
    ) -> dict[int, Refused]:
        """Write everything in one transaction, with what `also` adds to it; returns what was refused, by index.

        Raises Outdated where the `guard` reads another number; Unavailable when nothing was committed and a later attempt with
        the same writes may succeed (the disk is nearly full, say); psycopg's error when the data is at fault.
        """
        shortage = watch().shortage()
        if shortage is not None:
            raise Unavailable(shortage, announced=True)
        try:
            connection = self._connect()
            settled = self._settled(connection)
            if settled is not None:
                return settled
            refused, ids_of = self._resolve(connection, writes)
            if len(refused) == len(writes):
                return refused
            accepted = [write for index, write in enumerate(writes) if index not in refused] if refused else writes
            self._write(connection, gather(accepted, ids_of), refused, also, guard)
        except (errors.OperationalError, errors.InterfaceError, errors.UndefinedTable, errors.UndefinedObject) as error:
            if isinstance(error, errors.ProgramLimitExceeded):
                raise
            self._drop_connection()
            raise Unavailable(str(error).strip().splitlines()[0] if str(error) else type(error).__name__) from error
        except Exception:
            self._roll_back()
            raise
        return refused

    def close(self) -> None:
        """End the connection."""
        self._drop_connection()

    def _connect(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed:
            self._connection = connect("thingsboard ingest")
            self._server = introspect(self._connection)
            self._connection.execute(_KNOWN, [self._id])
        return self._connection

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _roll_back(self) -> None:
        if self._connection is not None and not self._connection.closed:
            try:
                self._connection.execute("ROLLBACK")
            except psycopg.Error:
                self._drop_connection()

    def _settled(self, connection: "psycopg.Connection[Any]") -> dict[int, Refused] | None:
        """What the transaction refused whose COMMIT got no answer, if it took place after all; else None."""
        if self._in_doubt is None:
            return None
        number, refused = self._in_doubt
        row = connection.execute(_LAST, [self._id]).fetchone()
        committed = row is not None and row[0] == number
        log.warning("A COMMIT that got no answer %s.", "took place" if committed else "did not take place")
        self._in_doubt = None
        return refused if committed else None

    def _resolve(
        self, connection: "psycopg.Connection[Any]", writes: Sequence[Write]
    ) -> tuple[dict[int, Refused], dict[bytes, dict[str, int]]]:
        """The keys' numbers per tenant, and the writes whose keys are refused. New keys are committed on the way."""
        ids_of: dict[bytes, dict[str, int]] = {}
        strangers: dict[int, set[str]] = {}
        for index, write in enumerate(writes):
            ids = ids_of.get(write.tenant)
            if ids is None:
                ids = ids_of[write.tenant] = keys.cache.of(write.tenant)
            known = ids.keys()
            for values in write.values():
                if not values.keys() <= known:
                    strangers.setdefault(index, set()).update(values.keys() - known)
        refused: dict[int, Refused] = {}
        if strangers:
            self._introduce(connection, writes, strangers, ids_of, refused)
        return refused, ids_of

    def _introduce(
        self,
        connection: "psycopg.Connection[Any]",
        writes: Sequence[Write],
        strangers: dict[int, set[str]],
        ids_of: dict[bytes, dict[str, int]],
        refused: dict[int, Refused],
    ) -> None:
        """Create the unknown keys (`strangers`: by index of the write), one transaction a tenant.

        Where a tenant's keys are not acceptable as a whole, each write is asked for by itself; a tenant that has no
        more
        keys to give is not asked about again for a second, so that a flood of new keys does not hold up everybody else.
        """
        by_tenant: dict[bytes, list[int]] = {}
        for index in strangers:
            by_tenant.setdefault(writes[index].tenant, []).append(index)
        limit = settings.TB_MAX_KEYS_PER_TENANT
        for tenant, indexes in by_tenant.items():
            groups = [indexes, *([index] for index in indexes)] if len(indexes) > 1 else [indexes]
            for group in groups:
                names = {name for index in group for name in strangers[index]} - ids_of[tenant].keys()
                try:
                    if time.monotonic() < self._full_until.get(tenant, 0.0):
                        raise keys.KeyLimit(f"The tenant may use {limit} keys, and they are used up.")
                    found = keys.resolve(connection, tenant, names, limit) if names else {}
                except (keys.KeyLimit, keys.InvalidKey) as error:
                    if len(group) > 1:
                        continue  # then one by one
                    code = "key_limit" if isinstance(error, keys.KeyLimit) else "key"
                    refused[group[0]] = Refused(code, str(error))
                    if code == "key_limit" and len(names) == 1:
                        self._remember_full(tenant)
                else:
                    ids_of[tenant] = {**ids_of[tenant], **found}
                    if group is indexes:
                        break

    def _remember_full(self, tenant: bytes) -> None:
        if len(self._full_until) > MOST_FULL_TENANTS:
            self._full_until.clear()
        self._full_until[tenant] = time.monotonic() + 1.0

    def _write(
        self,
        connection: "psycopg.Connection[Any]",
        batch: Batch,
        refused: dict[int, Refused],
        also: Also | None,
        guard: Guard | None,
    ) -> None:
        """The transaction, again with overwriting when a point is there already, again when another one was in its
        way. `refused` is what was left out of it.
        """
        merge = self._merges > 0
        self._merges -= merge
        for attempt in range(MOST_CONTENTION_RETRIES):
            try:
                self._transaction(connection, batch, refused, also, guard, merge=merge)
                return
            except errors.UniqueViolation:
                connection.execute("ROLLBACK")
                if merge:
                    raise
                merge, self._merges = True, MERGES_AFTER_A_CONFLICT
            except (errors.SerializationFailure, errors.DeadlockDetected) as error:
                connection.execute("ROLLBACK")
                if attempt + 1 == MOST_CONTENTION_RETRIES:
                    raise
                log.info("Contention, trying again: %s", error)

    def _transaction(
        self,
        connection: "psycopg.Connection[Any]",
        batch: Batch,
        refused: dict[int, Refused],
        also: Also | None,
        guard: Guard | None,
        *,
        merge: bool,
    ) -> None:
        server = self._server or introspect(connection)
        window: tuple[int, int] | None = None
        self._number += 1
        with connection.pipeline():
            connection.execute(_BEGIN)
            connection.execute(_NUMBER, [self._id, self._number], prepare=True)
            if server.timescale:
                connection.execute(_LOCK_WINDOW, prepare=True)
                bounds = connection.execute(_WINDOW, prepare=True)
            if guard is not None:
                number = connection.execute(guard.sql, prepare=True)
        if guard is not None and (number.fetchone() or (None,))[0] != guard.number:
            raise Outdated
        if server.timescale:
            window = bounds.fetchone() or (0, 0)
        send(connection, server, batch, merge=merge, window=window, only_changes=True)
        if also is not None:
            also(connection, refused)
        self._in_doubt = self._number, refused
        connection.execute("COMMIT")
        self._in_doubt = None
