"""How much of each tenant waits in the queue and for work outside, and who has too much there (architecture.md 4 and 5).

The queue is bounded by bytes and age, stored work outside by bytes and number: a receiver that is away for an hour is no reason
to stop the devices, as long as what waits for it is little.
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import psycopg
from django.conf import settings

# Who was over a bound is free again only below this share of it: else senders would be stopped and let go with every look.
FREE_SHARE = 0.8

# All rows are read, those that are processed but still seen by an old snapshot too (a backup's, say: a million of them take
# some 0.1 s; no index spares that). So whoever measures does it rarely: see transports/backlog.py.
_MEASURE = """
    SELECT flow.tenant_id, sum(waiting.size)::bigint, sum(waiting.messages)::bigint, min(waiting.oldest)
    FROM (
        SELECT flow_id, sum(size) AS size, sum(messages - done) AS messages, min(created_time) AS oldest
        FROM kernel_outboxrow GROUP BY flow_id
    ) AS waiting
    JOIN kernel_outboxflow AS flow ON flow.id = waiting.flow_id
    GROUP BY flow.tenant_id
"""

_MEASURE_EFFECTS = """
    SELECT tenant_id, sum(size)::bigint, count(*), count(*) FILTER (WHERE lease <> 0), min(created_time)
    FROM kernel_effect GROUP BY tenant_id
"""


class Outside(NamedTuple):
    """Stored work outside: bytes, how many there are, how many of them somebody works on, since when the oldest is there."""

    size: int = 0
    stored: int = 0
    running: int = 0
    oldest: int | None = None

    def age(self, now: int) -> float:
        """For how long the oldest is there, in seconds; `now` in ms since 1970."""
        return 0.0 if self.oldest is None else max(0, now - self.oldest) / 1000


NOTHING = Outside()


class Backlog(NamedTuple):
    """What waits: bytes of the queue's bodies, messages, since when the oldest row does (ms since 1970), and what waits for
    work outside.
    """

    size: int
    messages: int
    oldest: int
    outside: Outside = NOTHING

    def age(self, now: int) -> float:
        """For how long the oldest row waits, in seconds; `now` in ms since 1970."""
        return max(0, now - self.oldest) / 1000


def measure(connection: psycopg.Connection[Any]) -> dict[uuid.UUID, Backlog]:
    """The backlog of every tenant that has one. Raises psycopg.Error."""
    cursor = psycopg.Cursor(connection)
    now = int(time.time() * 1000)
    found = {tenant: Backlog(*rest) for tenant, *rest in cursor.execute(_MEASURE).fetchall()}
    for tenant, *rest in cursor.execute(_MEASURE_EFFECTS).fetchall():
        found[tenant] = found.get(tenant, Backlog(0, 0, now))._replace(outside=Outside(*rest))
    return found


def together(backlogs: Mapping[uuid.UUID, Backlog], now: int) -> Backlog:
    """All tenants' backlogs as one; nothing waits since `now`."""
    return Backlog(
        sum(each.size for each in backlogs.values()),
        sum(each.messages for each in backlogs.values()),
        min((each.oldest for each in backlogs.values() if each.messages), default=now),
        Outside(
            sum(each.outside.size for each in backlogs.values()),
            sum(each.outside.stored for each in backlogs.values()),
            sum(each.outside.running for each in backlogs.values()),
            min((each.outside.oldest for each in backlogs.values() if each.outside.oldest is not None), default=None),
        ),
    )


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one tenant's backlog: bytes, stored work outside included; seconds that its oldest row in the queue
    waits; how much work outside is stored.
    """

    size: int
    seconds: float
    stored: int = 100_000

    @classmethod
    def from_settings(cls) -> Self:
        """As the TB_RULE_BACKLOG_* settings and TB_EFFECTS_BACKLOG say."""
        return cls(settings.TB_RULE_BACKLOG_BYTES, settings.TB_RULE_BACKLOG_SECONDS, settings.TB_EFFECTS_BACKLOG)

    def over(
        self, backlogs: Mapping[uuid.UUID, Backlog], before: frozenset[uuid.UUID], now: int
    ) -> frozenset[uuid.UUID]:
        """Which tenants are over their bounds; those that were `before` stay so until they are well below. `now` in ms."""
        return frozenset(
            tenant
            for tenant, backlog in backlogs.items()
            if self._exceeded(backlog, FREE_SHARE if tenant in before else 1.0, now)
        )

    def _exceeded(self, backlog: Backlog, share: float, now: int) -> bool:
        if backlog.outside.stored > self.stored * share:
            return True
        size = backlog.size + backlog.outside.size
        return size > self.size * share or backlog.age(now) > self.seconds * share
