"""Claims to sessions, and what they wait for: the end of the older sessions that they displace on other nodes.

A node answers over the bus within milliseconds. Where the bus is away it finds its loss in the database with its next
renewal, and answers there; where the node itself is gone, its lease ends or its death is seen. So a wait is bounded.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from devices.services.sessions import LEASE_GRACE_MS, WAIT_SQL
from thingsboard.kernel.time import now_ms
from thingsboard.transports.gathering import MOST
from thingsboard.transports.lease import elapsed
from thingsboard.transports.line import Line, Unavailable
from thingsboard.transports.nodes import Node
from thingsboard.transports.session import RUN_AHEAD_MS

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
SPARE_SECONDS = 2.0

Key = tuple[uuid.UUID, int]  # device and epoch of a session


class Superseded(Exception):
    """The device has connected anew while this claim was waiting."""


@dataclass(slots=True, eq=False)
class Claim:
    """The right to the newest session of a device. Its stamps begin after `floor` (ms)."""

    device_id: uuid.UUID
    epoch: int
    floor: int
    ready: "asyncio.Future[None]"
    open: dict[int, uuid.UUID] = field(default_factory=dict)  # older sessions that are waited for: epoch -> node
    lost: bool = False
    deadline: float = 0.0


class Waits:
    """The claims of this node that wait, and who looks whether they still must."""

    def __init__(self, line: Line, node: Node, seconds: float, over: Callable[[Key], None]) -> None:
        """`seconds` is the time of a lease; `over` is told each older session that nobody waits for any more."""
        self._line, self._node, self._over = line, node, over
        self._most = seconds + LEASE_GRACE_MS / 1000 + SPARE_SECONDS
        self._open: dict[Key, Claim] = {}
        self._looking: asyncio.Task[None] | None = None

    def add(self, claim: Claim) -> Iterator[tuple[uuid.UUID, int]]:
        """Wait for all that is open in it; yields node and epoch of those whom it is worth asking."""
        claim.deadline = elapsed() + self._most
        for epoch, node in list(claim.open.items()):
            self._open[claim.device_id, epoch] = claim
            if self._node.past(node):
                self.ended(claim.device_id, epoch, 0)
            else:
                yield node, epoch
        if claim.open and self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())

    def ended(self, device_id: uuid.UUID, epoch: int, stamp: int) -> None:
        """An older session has ended; `stamp` is the last that it can have given."""
        claim = self._open.pop((device_id, epoch), None)
        if claim is None:
            return
        self._over((device_id, epoch))
        claim.open.pop(epoch, None)
        claim.floor = max(claim.floor, stamp)
        if not claim.open and not claim.ready.done():
            claim.ready.set_result(None)

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> None:
        try:
            while self._open:
                await asyncio.sleep(LOOK_SECONDS)
                for (device_id, epoch), claim in list(self._open.items()):
                    if self._node.past(claim.open[epoch]):
                        self.ended(device_id, epoch, 0)
                    elif elapsed() > claim.deadline:
                        log.warning("Nobody says that session %d of device %s has ended.", epoch, device_id)
                        self.ended(device_id, epoch, now_ms() + RUN_AHEAD_MS)
                try:
                    await self._ask()
                except Unavailable as error:
                    log.warning("Takeovers could not be looked at: %s", error)
        except Exception:
            log.exception("Waiting for takeovers failed.")
        finally:
            self._looking = None

    async def _ask(self) -> None:
        """Compare with the database."""
        keys = list(self._open)
        for start in range(0, len(keys), MOST):
            part = list(islice(keys, start, start + MOST))
            arguments = {
                "devices": [device for device, _ in part],
                "epochs": [epoch for _, epoch in part],
                "grace": LEASE_GRACE_MS,
            }
            for device_id, epoch, stamp, wait in await self._line.rows(WAIT_SQL, arguments):
                if not wait:
                    self.ended(device_id, epoch, stamp)
