"""Who watches which entity live: what keeps publishers from telling what nobody wants to hear.

Processes that serve live subscriptions ("watchers") say over the bus which entities they watch: at once what is new, and
every ANNOUNCE_SECONDS everything. Publishers remember the last word of each watcher for FORGET_SECONDS. So a word that is
lost is made up for by the next one, and who dies is forgotten. While a publisher has not listened for long enough to know,
it tells everybody (docs/decisions/0023).
"""

import base64
import binascii
import time
from collections.abc import Collection, Iterable
from typing import Any

from thingsboard.kernel import bus

CHANNEL = "live"  # {"node": id, "all" or "add": base64 of the entities' 16 bytes each}
ANNOUNCE_SECONDS = 1.0
FORGET_SECONDS = 3.5
LEARN_SECONDS = 1.5
MOST_WATCHERS = 256  # more are not listened to

GROUP = "live"  # of the channel layer: every watcher


def group_of(node: str) -> str:
    """The group of one watcher."""
    return f"{GROUP}.{node}"


def announcement(node: str, ids: Iterable[bytes], *, whole: bool) -> dict[str, str]:
    """What a watcher says: all that it watches, or what it watches besides."""
    return {"node": node, "all" if whole else "add": base64.b64encode(b"".join(ids)).decode()}


class Interest:
    """What a publisher knows. Written on one event loop, read from any thread."""

    def __init__(self) -> None:
        self._nodes: dict[str, tuple[Collection[bytes], float]] = {}  # what it watches, and until when that is believed
        self._knows_from = float("inf")

    async def listen(self) -> None:
        """Listen to the watchers until cancelled."""
        subscriber = bus.Subscriber([CHANNEL], self.heard, self._begin)
        self._begin()
        try:
            await subscriber.run()
        finally:
            self._knows_from = float("inf")

    def heard(self, _channel: str, word: dict[str, Any]) -> None:
        """A watcher's word. What is none raises ValueError or KeyError, which the bus logs."""
        node, whole = str(word["node"]), "all" in word
        try:
            raw = base64.b64decode(word["all" if whole else "add"], validate=True)
        except (binascii.Error, TypeError) as error:
            raise ValueError(f"Not an announcement: {error}") from None
        now = time.monotonic()
        ids = frozenset([raw[start : start + 16] for start in range(0, len(raw), 16)])
        nodes = {name: known for name, known in self._nodes.items() if known[1] > now}
        if not whole and node in nodes:
            ids |= frozenset(nodes[node][0])
        if ids and (node in nodes or len(nodes) < MOST_WATCHERS):
            nodes[node] = (ids, now + FORGET_SECONDS)
        else:
            nodes.pop(node, None)
        self._nodes = nodes

    def nodes(self) -> list[tuple[str, Collection[bytes] | None]]:
        """Whom to tell, and of what: (group, entities), None for all. Usually nobody, and then this costs nothing."""
        now = time.monotonic()
        if now < self._knows_from:
            return [(GROUP, None)]
        if not self._nodes:
            return []
        return [(group_of(node), ids) for node, (ids, until) in self._nodes.items() if until > now]

    def _begin(self) -> None:
        """From now on every word arrives; what was said before may be missing for another moment."""
        self._knows_from = time.monotonic() + LEARN_SECONDS
