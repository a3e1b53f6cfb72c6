"""What the effects worker asks of the database, in threads with a connection each: never on its event loop."""

import logging
import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import psycopg
from django.db import connection as django_connection
from django.db import transaction

from rules.effects.jobs import Again, Ended, Job, prepare, spoiled
from rules.engine.batch import AWAY, CONTENTION
from rules.engine.chains import ChainCache, TenantChains
from thingsboard.kernel import effects
from thingsboard.kernel.effects import Claim, Finished, Result, Waiting
from thingsboard.kernel.effects.claims import Lease
from thingsboard.kernel.outbox import Appender, kick

log = logging.getLogger(__name__)

LONGEST_PAUSE_S = 60.0


class Settled(NamedTuple):
    """What became of results that were written: those put off among `done`; `lost` were somebody else's."""

    done: int
    lost: int


class Desk:
    """Two threads: one claims and finds nodes, the other writes what became of them, so that neither waits for the other."""

    def __init__(self, *, lease_s: float, retry_s: float) -> None:
        """`retry_s`: how long the first pause before another try is, doubled with each."""
        self._lease_s, self._retry_s = lease_s, retry_s
        self.claims = ThreadPoolExecutor(1, "effects claims")
        self.results = ThreadPoolExecutor(1, "effects results")
        self._cache = ChainCache()
        self._appender = Appender()
        self._behind: dict[uuid.UUID, str] = {}
        self._after = effects.claims.NOBODY
        self._local = threading.local()

    # In the thread of claims.

    def look(self) -> list[Waiting]:
        """What waits. Where there is more than one look sees, the next one goes on behind it. Raises AWAY's errors."""
        found = effects.look(self._connection(), self._behind, after=self._after)
        by_tenant: dict[uuid.UUID, list[str]] = {}
        for each in found:
            by_tenant.setdefault(each.tenant_id, []).append(each.destination)
        full = len(by_tenant) >= effects.claims.MOST_TENANTS
        again = bool(self._behind) or self._after != effects.claims.NOBODY
        self._behind = {
            tenant: names[-1] for tenant, names in by_tenant.items() if len(names) >= effects.claims.MOST_DESTINATIONS
        }
        self._after = max(by_tenant) if full else effects.claims.NOBODY
        return found if found or not again else self.look()

    def claim(self, wanted: Sequence[Claim], most_bytes: int) -> list[Job | Ended]:
        """Claim and find the nodes. Raises AWAY's errors."""
        claimed = effects.claim(self._connection(), wanted, self._lease_s, most_bytes)
        chains: dict[uuid.UUID, TenantChains] = {}
        return [prepare(each, self._cache, chains) for each in claimed]

    def renew(self, leases: Sequence[Lease]) -> set[int]:
        """Which of these are still ours, for another lease."""
        return effects.renew(self._connection(), leases, self._lease_s)

    def release(self, leases: Sequence[Lease]) -> None:
        """Give them back."""
        effects.release(self._connection(), leases)

    # In the thread of results.

    def settle(self, ended: Sequence[Ended]) -> Settled:
        """Write what became of work, in one transaction, and kick the rule engine. Raises AWAY's errors: then it is to be
        called again, and what was committed nevertheless is not done twice.
        """
        try:
            return self._settle(ended)
        except CONTENTION:
            return self._settle(ended)
        except AWAY:
            raise
        except Exception as error:
            if len(ended) > 1:
                half = len(ended) // 2
                one, other = self.settle(ended[:half]), self.settle(ended[half:])
                return Settled(one.done + other.done, one.lost + other.lost)
            log.exception("What became of work outside cannot be written.")
            return self._settle([spoiled(ended[0], error)])

    def _settle(self, ended: Sequence[Ended]) -> Settled:
        connection = self._connection(durable=True)
        results = [each.outcome for each in ended if isinstance(each.outcome, Result)]
        pauses = {
            (each.claimed.id, each.claimed.lease): self._pause(each.claimed.attempts, each.outcome)
            for each in ended
            if isinstance(each.outcome, Again)
        }
        finished = Finished(0, 0, set())
        try:
            with transaction.atomic():
                if results:
                    finished = effects.finish(connection, self._appender, results)
                if pauses:
                    effects.put_off(connection, pauses)
        except BaseException:
            self._appender.rolled_back()
            raise
        self._appender.committed()
        if finished.lanes:
            kick(finished.lanes)
        return Settled(finished.done + len(pauses), finished.lost)

    def _pause(self, attempts: int, again: Again) -> float:
        wanted = again.after_s or self._retry_s * 2 ** min(attempts - 1, 20)
        return float(min(max(wanted, 0.001), LONGEST_PAUSE_S))

    # In either.

    def _connection(self, *, durable: bool = False) -> "psycopg.Connection[Any]":
        """The thread's own connection, Django's: the same that its models use. A claim need not survive the machine."""
        django_connection.ensure_connection()
        raw: psycopg.Connection[Any] = django_connection.connection
        if raw.closed or raw.broken:
            django_connection.close()
            return self._connection(durable=durable)
        if getattr(self._local, "known", None) is not raw:
            self._local.known = raw
            raw.prepare_threshold = 5
            if not durable:
                raw.execute("SET synchronous_commit = off")
        return raw

    def disconnect(self) -> None:
        """Let the thread's connection go: the database was away."""
        django_connection.close()

    def close(self) -> None:
        """End both threads, and their connections."""
        for executor in (self.claims, self.results):
            executor.submit(self.disconnect)
            executor.shutdown()
