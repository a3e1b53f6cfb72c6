"""Who may have how much work outside at the same time.

Whoever is served may have as much as is left free, up to a limit: one tenant takes half, the next one half of the rest. So
there is always a place for who comes next, without any being kept empty for those who never come. Within a tenant it is the
same with destinations: one that hangs never holds all places of its tenant.
"""

import uuid
from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple

from thingsboard.kernel.effects import Claim, Waiting

MOST_AT_A_TIME = 500  # of one claim


class Limits(NamedTuple):
    """Of one process: work in all, of a tenant, of a tenant for one destination, and the bytes of all messages."""

    all: int
    tenant: int
    destination: int
    size: int


class Places:
    """What is taken. Belongs to one event loop."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.taken = 0
        self.size = 0
        self._tenants: Counter[uuid.UUID] = Counter()
        self._destinations: Counter[tuple[uuid.UUID, str]] = Counter()

    def take(self, tenant_id: uuid.UUID, destination: str, size: int, number: int = 1) -> None:
        """So many works of that size (bytes) in all begin; a negative number: they end."""
        key = (tenant_id, destination)
        self.taken += number
        self.size += size if number > 0 else -size
        self._tenants[tenant_id] += number
        self._destinations[key] += number
        if not self._tenants[tenant_id]:
            del self._tenants[tenant_id]
        if not self._destinations[key]:
            del self._destinations[key]

    @property
    def room(self) -> int:
        """Bytes that more messages may have."""
        return self.limits.size - self.size if self.taken < self.limits.all else 0

    def shares(self, waiting: Sequence[Waiting], most: int = MOST_AT_A_TIME) -> list[Claim]:
        """How much may be claimed of what is due, one of each tenant in turn, and of its destinations in turn."""
        turns: dict[uuid.UUID, deque[str]] = {}
        for each in waiting:
            if each.due:
                turns.setdefault(each.tenant_id, deque()).append(each.destination)
        given: Counter[tuple[uuid.UUID, str]] = Counter()
        total, of_tenant = self.taken, Counter(self._tenants)
        queue = deque(turns)
        while queue and most:
            tenant = queue.popleft()
            if of_tenant[tenant] >= min(self.limits.tenant, self.limits.all - total):
                continue
            key = self._next(tenant, turns[tenant], given, of_tenant[tenant])
            if key is None:
                continue
            given[key] += 1
            of_tenant[tenant] += 1
            total += 1
            most -= 1
            queue.append(tenant)
        return [Claim(*key, number) for key, number in given.items()]

    def _next(
        self, tenant: uuid.UUID, turns: deque[str], given: Counter[tuple[uuid.UUID, str]], taken: int
    ) -> tuple[uuid.UUID, str] | None:
        """The next destination of the tenant that has room."""
        bound = min(self.limits.destination, self.limits.tenant - taken)
        for _ in range(len(turns)):
            key = (tenant, turns.popleft())
            if self._destinations[key] + given[key] < bound:
                turns.append(key[1])
                return key
        return None
