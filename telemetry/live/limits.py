"""How much of the live door a tenant, a customer, a user may use at once (compat/websocket.md 1).

The numbers are the tenant profile's (0: no limit); they are counted in each web process by itself, as ThingsBoard's nodes do.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tenants.models import Tenant, User

SESSIONS, SUBSCRIPTIONS = "sessions", "subscriptions"
_MEMBERS = {SESSIONS: "maxWsSessionsPer", SUBSCRIPTIONS: "maxWsSubscriptionsPer"}

Place = tuple[str, str, Any]


class NoRoom(Exception):
    """A limit is reached; the message is the reason with which the socket is closed."""


def configuration_of(user: User) -> Mapping[str, Any]:
    """The limits of the user's tenant profile; empty for system administrators. In a database thread."""
    if user.tenant_id is None:
        return {}
    tenant = Tenant.objects.select_related("profile").get(pk=user.tenant_id)
    found: Mapping[str, Any] = (tenant.profile.profile_data or {}).get("configuration") or {}
    return found


class Places:
    """What is taken in this process."""

    def __init__(self) -> None:
        self._taken: Counter[Place] = Counter()

    def take(self, what: str, user: User, configuration: Mapping[str, Any]) -> list[Place]:
        """Take a place everywhere it counts; give the result to `leave`. Raises NoRoom, then nothing is taken."""
        places = []
        for holder, words, key in _holders(user):
            limit = configuration.get(_MEMBERS[what] + holder) or 0
            place = (what, holder, key)
            if isinstance(limit, int) and 0 < limit <= self._taken[place]:
                raise NoRoom(f"Max {words} {what} limit reached{'!' if holder == 'Tenant' else ''}")
            places.append(place)
        self._taken.update(places)
        return places

    def leave(self, places: list[Place]) -> None:
        """Give places back."""
        for place in places:
            self._taken[place] -= 1
            if self._taken[place] <= 0:
                del self._taken[place]


def _holders(user: User) -> list[tuple[str, str, Any]]:
    found: list[tuple[str, str, Any]] = []
    if user.tenant_id is not None:
        found.append(("Tenant", "tenant", user.tenant_id))
    if user.customer_id is not None:
        found += [("Customer", "customer", user.customer_id), ("RegularUser", "regular user", user.pk)]
    return found


class UpdateRate:
    """Rules "count:seconds,...", each a bucket that refills steadily. An empty text limits nothing."""

    def __init__(self, rules: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: list[list[float]] = []  # capacity, tokens per second, tokens, when that was
        for rule in rules.split(","):
            count, _, seconds = rule.strip().partition(":")
            if count.isdigit() and seconds.isdigit() and int(count) and int(seconds):
                self._buckets.append([int(count), int(count) / int(seconds), int(count), clock()])

    def pause(self) -> float:
        """Seconds until an update may be sent; 0: now, and then it counts."""
        if not self._buckets:
            return 0.0
        now = self._clock()
        for bucket in self._buckets:
            bucket[2] = min(bucket[0], bucket[2] + (now - bucket[3]) * bucket[1])
            bucket[3] = now
        wait = max([(1 - bucket[2]) / bucket[1] for bucket in self._buckets])
        if wait > 0:
            return wait
        for bucket in self._buckets:
            bucket[2] -= 1
        return 0.0
