"""Who is served next: the tenant that was served least, by time (deficit round robin with time as its quantum).

A tenant that was idle does not save up time: it begins where those that are being served stand. So however much one sends,
another waits for one slice of it at most.
"""

import uuid
from collections import OrderedDict
from collections.abc import Collection

from thingsboard.kernel.outbox.claims import Flow

MOST_REMEMBERED = 10_000  # tenants
SLICE_S = 0.2
MOST_MESSAGES = 2_000
FEWEST_MESSAGES = 50
FIRST_GUESS_S = 50e-6  # a message


class Turns:
    """Of one thread."""

    def __init__(self) -> None:
        self._served: OrderedDict[uuid.UUID, float] = OrderedDict()  # virtual time, in seconds
        self._last: OrderedDict[int, int] = OrderedDict()  # by flow: when it had its last turn
        self._cost: OrderedDict[int, float] = OrderedDict()  # by flow: seconds a message
        self._turn = 0

    def next(self, ready: Collection[Flow]) -> Flow:
        """The one of these flows that is served next."""
        floor = min((self._served[each.tenant_id] for each in ready if each.tenant_id in self._served), default=0.0)
        for each in ready:
            self._served[each.tenant_id] = max(self._served.get(each.tenant_id, floor), floor)
        return min(ready, key=lambda each: (self._served[each.tenant_id], self._last.get(each.id, 0)))

    def size(self, flow: Flow) -> int:
        """How many messages a slice of the flow may have: what takes SLICE_S, by what its last ones took."""
        return max(FEWEST_MESSAGES, min(MOST_MESSAGES, int(SLICE_S / self._cost.get(flow.id, FIRST_GUESS_S))))

    def served(self, flow: Flow, messages: int, seconds: float) -> None:
        """It had its turn."""
        self._turn += 1
        self._last[flow.id] = self._turn
        self._served[flow.tenant_id] = self._served.get(flow.tenant_id, 0.0) + seconds
        if messages:
            known = self._cost.get(flow.id, FIRST_GUESS_S)
            self._cost[flow.id] = known + (seconds / messages - known) * 0.3
        for memory in (self._served, self._last, self._cost):
            while len(memory) > MOST_REMEMBERED:
                memory.popitem(last=False)
