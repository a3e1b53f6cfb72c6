"""The process as a node: its row with a lease that is renewed, its sign of life, and what it knows of other nodes."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from devices.services.sessions import LEASE_GRACE_MS, NODES_SQL, RENEW_SQL, RETIRE_SQL
from thingsboard.transports.lease import Lease, elapsed
from thingsboard.transports.line import Line, Unavailable
from thingsboard.transports.liveness import LifeSign, is_dead, tidy
from thingsboard.transports.session import RUN_AHEAD_MS

log = logging.getLogger(__name__)

RENEWALS = 5  # in the time of one lease
CLOSE_SECONDS = 1.0
MOST_DEAD = 1000  # remembered

Taken = Callable[[uuid.UUID, int], None]


class Node:
    """One process. `start` it before the first session, `close` it after the last."""

    def __init__(
        self, lease: Lease, seconds: float, directory: Path, taken: Taken, recheck: Callable[[], Awaitable[None]]
    ) -> None:
        """`taken(device, epoch)` is told what others took; `recheck()` looks at every session after the lease was over.

        `seconds` is the time of a lease; `directory` is where signs of life are.
        """
        self.id = uuid.uuid4()
        self.term = 0  # how often the lease has been over
        self._lease, self._seconds, self._directory = lease, seconds, directory
        self._taken, self._recheck = taken, recheck
        self._line = Line("thingsboard lease")
        self._sign: LifeSign | None = None
        self._dead: dict[uuid.UUID, float] = {}  # since when, by `elapsed`, we know it
        self._doubt = asyncio.Event()

    async def start(self) -> None:
        """Take the first lease. Raises Unavailable."""
        try:
            tidy(self._directory)
            self._sign = LifeSign(self._directory, self.id)
        except OSError as error:
            log.warning(
                "No sign of life in %s (%s): others will wait for the end of our lease.", self._directory, error
            )
        began = elapsed()
        await self._line.rows(RENEW_SQL, {"node": self.id, "seconds": self._seconds})
        self._lease.extend(began + self._seconds)
        for (other,) in await self._line.rows(NODES_SQL, {"node": self.id}):
            self.past(other)

    async def run(self) -> None:
        """Renew the lease until cancelled."""
        away = False
        while True:
            try:
                async with asyncio.timeout(self._seconds / RENEWALS):
                    await self._doubt.wait()
            except TimeoutError:
                pass
            self._doubt.clear()
            try:
                await self.renew()
                away = False
            except Unavailable as error:
                if not away:
                    log.warning("The lease of this node could not be renewed: %s", error)
                away = True
                await asyncio.sleep(min(0.1, self._seconds / RENEWALS))
            except Exception:
                log.exception("The lease of this node could not be renewed.")

    async def renew(self) -> None:
        """Once. Raises Unavailable.

        If the lease was over, all sessions are compared with the database before a message of theirs is stamped again.
        """
        began = elapsed()
        rows = await self._line.rows(RENEW_SQL, {"node": self.id, "seconds": self._seconds})
        if self._lease.over():
            log.warning("The lease of this node was over; its sessions are compared with the database.")
            self.term += 1
            await self._recheck()
        self._lease.extend(began + self._seconds)
        for device, epoch in rows:
            self._taken(device, epoch)

    def look(self) -> None:
        """Renew now: news may have been lost."""
        self._doubt.set()

    def past(self, other: uuid.UUID) -> bool:
        """Whether this node is certainly dead, and its last time stamps are past as well."""
        known = self._dead.get(other)
        if known is None:
            if not is_dead(self._directory, other):
                return False
            if len(self._dead) >= MOST_DEAD:
                self._dead.clear()
            known = self._dead[other] = elapsed()
        return elapsed() >= known + RUN_AHEAD_MS / 1000

    async def close(self, ahead_ms: int) -> None:
        """The sessions have ended; others need not wait longer than their stamps run ahead of the clock."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._line.rows(RETIRE_SQL, {"node": self.id, "seconds": (ahead_ms - LEASE_GRACE_MS) / 1000})
        except (Unavailable, TimeoutError) as error:
            log.warning("This node could not be retired; others will wait for the end of its lease. %s", error)
        await self._line.close()
        if self._sign is not None:
            self._sign.close()
