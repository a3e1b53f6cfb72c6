"""The dictionary of key names: text to number, limited per tenant (architecture.md 4, "Poison").

Keys are created in a committed transaction of their own, sorted, and cached only after that commit, so that a batch
that is rolled back never leaves a number behind that does not exist.
"""

import threading
from collections.abc import Callable, Iterable, Mapping

import psycopg

from telemetry.points import LONGEST_KEY

# Entries over all tenants above which the cache starts anew; at about 100 bytes each this is some 200 MB at worst.
MOST_CACHED = 2_000_000

_FIND = "SELECT name, id FROM ts_key WHERE name = ANY(%s)"
_CREATE = "INSERT INTO ts_key (name) SELECT unnest(%s::text[]) ON CONFLICT (name) DO NOTHING"
_LOCK_TENANT = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7461))"
_LINKED = "SELECT key_id FROM ts_tenant_key WHERE tenant_id = %s AND key_id = ANY(%s)"
_COUNT = "SELECT count(*) FROM ts_tenant_key WHERE tenant_id = %s"
_LINK = "INSERT INTO ts_tenant_key SELECT %s, unnest(%s::int[]) ON CONFLICT (tenant_id, key_id) DO NOTHING"


class KeyLimit(Exception):
    """The tenant may not use that many keys."""


class InvalidKey(ValueError):
    """A text that cannot be a key."""


class KeyCache:
    """Per tenant (16 bytes): the numbers of the keys it is known to use. Shared by all threads of a process."""

    def __init__(self) -> None:
        self._tenants: dict[bytes, dict[str, int]] = {}
        self._entries = 0
        self._lock = threading.Lock()

    def of(self, tenant: bytes) -> dict[str, int]:
        """What is known of a tenant's keys; to be read only."""
        return self._tenants.get(tenant) or {}

    def remember(self, tenant: bytes, ids: Mapping[str, int]) -> None:
        """Add committed keys."""
        with self._lock:
            if self._entries + len(ids) > MOST_CACHED:
                self._tenants, self._entries = {}, 0
            known = dict(self._tenants.get(tenant, ()))
            before = len(known)
            known.update(ids)
            self._tenants[tenant] = known
            self._entries += len(known) - before

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._tenants, self._entries = {}, 0


cache = KeyCache()

# In the cache, whose keys the platform's own are.
OWN = b""


def check(name: str) -> None:
    """Raise InvalidKey with a sentence unless `name` can be a key."""
    if not name.strip():
        raise InvalidKey("A key must not be empty.")
    if len(name) > LONGEST_KEY:
        raise InvalidKey(f"The key {name[:40]!r}... has {len(name)} characters; at most {LONGEST_KEY} are accepted.")
    if "\0" in name:
        raise InvalidKey(f"The key {name[:40]!r} holds a NUL character, which cannot be stored.")


def resolve(connection: "psycopg.Connection[tuple]", tenant: bytes, names: Iterable[str], limit: int) -> dict[str, int]:
    """The numbers of `names`, created and linked to the tenant where needed, and cached.

    `connection` is in autocommit mode and outside a transaction. Raises KeyLimit when the tenant would use more than
    `limit` keys (then nothing is linked), InvalidKey for a text that cannot be a key.
    """
    wanted = sorted(set(names))
    for name in wanted:
        check(name)
    tenant_id = tenant.hex()
    with connection.transaction():
        connection.execute(_LOCK_TENANT, [tenant_id])
        ids = dict(connection.execute(_FIND, [wanted]).fetchall())
        linked = {row[0] for row in connection.execute(_LINKED, [tenant_id, list(ids.values())])}
        new = len(wanted) - len(linked)
        if new:
            (used,) = connection.execute(_COUNT, [tenant_id]).fetchone() or (0,)
            if used + new > limit:
                raise KeyLimit(f"The tenant uses {used} keys and may use {limit}; {new} more were asked for.")
            missing = [name for name in wanted if name not in ids]
            if missing:
                connection.execute(_CREATE, [missing])
                ids = dict(connection.execute(_FIND, [wanted]).fetchall())
            connection.execute(_LINK, [tenant_id, sorted(ids.values())])
    cache.remember(tenant, ids)
    return ids


def own(names: Iterable[str], connect: "Callable[[], psycopg.Connection[tuple]]") -> Mapping[str, int]:
    """The numbers of keys that the platform itself writes, for whatever tenant: no tenant's limit counts them.

    `connect` gives a connection in autocommit mode, for names that this process has not met; it is closed afterwards.
    """
    wanted = sorted(set(names))
    known = cache.of(OWN)
    if wanted and not known.keys() >= set(wanted):
        with connect() as connection:
            connection.execute(_CREATE, [wanted])
            known = dict(connection.execute(_FIND, [wanted]).fetchall())
        cache.remember(OWN, known)
    return known
