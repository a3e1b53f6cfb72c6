"""How much of each tenant waits in the queue, and who has too much there (architecture.md 4: bounded by bytes and age)."""

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


class Backlog(NamedTuple):
    """What waits: bytes of the rows' bodies, messages, and since when the oldest row does (ms since 1970)."""

    size: int
    messages: int
    oldest: int

    def age(self, now: int) -> float:
        """For how long the oldest row waits, in seconds; `now` in ms since 1970."""
        return max(0, now - self.oldest) / 1000


def measure(connection: psycopg.Connection[Any]) -> dict[uuid.UUID, Backlog]:
    """The backlog of every tenant that has one, in one statement. Raises psycopg.Error."""
    rows = psycopg.Cursor(connection).execute(_MEASURE).fetchall()
    return {tenant: Backlog(size, messages, oldest) for tenant, size, messages, oldest in rows}


def together(backlogs: Mapping[uuid.UUID, Backlog], now: int) -> Backlog:
    """All tenants' backlogs as one; nothing waits since `now`."""
    return Backlog(
        sum(each.size for each in backlogs.values()),
        sum(each.messages for each in backlogs.values()),
        min((each.oldest for each in backlogs.values()), default=now),
    )


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one tenant's backlog: bytes, and seconds that its oldest row waits."""

    size: int
    seconds: float

    @classmethod
    def from_settings(cls) -> Self:
        """As the TB_RULE_BACKLOG_* settings say."""
        return cls(settings.TB_RULE_BACKLOG_BYTES, settings.TB_RULE_BACKLOG_SECONDS)

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
        return backlog.size > self.size * share or backlog.age(now) > self.seconds * share
