"""The session registry: one session per device over all processes of a transport (docs/decisions/0014).

A session is claimed in the database, where the newest wins; what it displaces on another node is told so and ends first. The
bus only makes that quick. A transport is a `Holder`: it ends sessions when asked, and says which ones it has.
"""

import asyncio
import base64
import itertools
import logging
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from django.conf import settings

from devices.services.sessions import (
    CLAIM_SQL,
    FORGET_SQL,
    LEASE_GRACE_MS,
    OWNER_SQL,
    RELEASE_SQL,
    STILL_SQL,
    YIELD_SQL,
)
from thingsboard.kernel.time import now_ms
from thingsboard.transports.claims import Claim, Key, Superseded, Waits
from thingsboard.transports.gathering import MOST, Backlog, Gathering
from thingsboard.transports.lease import Lease
from thingsboard.transports.line import Line, Unavailable
from thingsboard.transports.mailbox import Mailbox
from thingsboard.transports.nodes import Node
from thingsboard.transports.session import RUN_AHEAD_MS

__all__ = ["Claim", "Holder", "Registry", "Superseded", "Unavailable"]

log = logging.getLogger(__name__)

DELIVER_SECONDS = 6.0  # a device has 5 s for its acknowledgement
CLOSE_ATTEMPTS = 10
MOST_DELIVERIES = 10_000  # on their way to other nodes


class Holder(Protocol):
    """A transport's sessions."""

    def surrender(self, device_id: uuid.UUID, epoch: int, ended: Callable[[int], None]) -> None:
        """End the session of this epoch, and any older one, within about a second: read no further, let what is queued be
        committed and acknowledged, close. Then call `ended` with its last time stamp (ms), 0 when there is none.
        """
        ...

    def held(self) -> list[Key]:
        """Every session: device and epoch."""
        ...

    def lost(self, device_id: uuid.UUID, epoch: int) -> None:
        """Others have held this device's session: close ours, and stamp none of its messages any more."""
        ...

    async def deliver(self, device_id: uuid.UUID, topic: str, payload: bytes, qos: int) -> bool:
        """Send to a session of this process; whether that was done, or acknowledged with QoS 1."""
        ...


class Registry:
    """Belongs to one event loop. `start` it before the first claim, `close` it after the last session has ended."""

    def __init__(self, holder: Holder, lease: Lease) -> None:
        """`lease` is the one that the sessions' ingest asks."""
        seconds = settings.TB_MQTT_LEASE_SECONDS
        self._holder = holder
        self._line = Line("thingsboard sessions")
        self.node = Node(lease, seconds, settings.TB_DATA_DIR / "nodes", self._taken, self._recheck)
        self._claims: Gathering[uuid.UUID, Claim] = Gathering(self._claim)
        self._releases: Backlog[Key, int] = Backlog(self._release)
        self._ends: Backlog[Key, int] = Backlog(self._yield)
        self._settled: Backlog[Key, None] = Backlog(self._forget)
        self._waits = Waits(self._line, self.node, seconds, lambda key: self._settled.put(key, None))
        self._transit: dict[uuid.UUID, Claim] = {}  # claims that are not sessions yet, the newest of a device
        self._mail = Mailbox(self.node.id, self._read, self.node.look)
        self._numbers = itertools.count(1)
        self._deliveries: dict[int, asyncio.Future[bool]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Become a node. Raises Unavailable."""
        await self.node.start()
        self._keep(asyncio.create_task(self.node.run()))
        self._keep(asyncio.create_task(self._mail.subscriber.run()))

    async def close(self, *, committed: bool) -> None:
        """Write what is left. Others wait until our stamps are past, if not everything was `committed` and written."""
        await self._waits.close()
        await asyncio.gather(self._releases.close(), self._ends.close(), self._settled.close())
        ahead_ms = RUN_AHEAD_MS if self._releases or not committed else 0
        await self._mail.close()
        for _ in range(CLOSE_ATTEMPTS):  # a Redis client that is just connecting swallows a cancellation
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=0.1)
        await self.node.close(ahead_ms)
        await self._line.close()

    # Claims of our own.

    async def claim(self, device_id: uuid.UUID) -> Claim:
        """The right to be the device's session, once every older one has ended; no later than a lease and some seconds.

        Raises Unavailable, and Superseded when the device has connected anew meanwhile. Whoever gets a claim must
        `release` it, too.
        """
        term = self.node.term
        claim = await self._claims(device_id)
        try:
            if claim.open:
                await claim.ready
            if claim.lost:
                raise Superseded
            if self.node.term != term:
                raise Unavailable("This node was frozen.")
        except BaseException:
            self.release(device_id, claim.epoch, claim.floor)
            raise
        finally:
            if self._transit.get(device_id) is claim:
                del self._transit[device_id]
            if not claim.ready.done():
                claim.ready.set_result(None)
        return claim

    def release(self, device_id: uuid.UUID, epoch: int, stamp: int) -> None:
        """A session has ended, with this last time stamp (ms). Of no effect if it is not the device's newest."""
        self._releases.put((device_id, epoch), stamp)

    async def _claim(self, devices: Sequence[uuid.UUID]) -> dict[uuid.UUID, Claim]:
        arguments = {"node": self.node.id, "devices": list(devices), "grace": LEASE_GRACE_MS}
        rows = await self._line.rows(CLAIM_SQL, arguments)
        loop = asyncio.get_running_loop()
        claims: dict[uuid.UUID, Claim] = {}
        for device_id, epoch, stamp, older, node, ended_at in rows:
            claim = claims.get(device_id)
            if claim is None:
                claim = claims[device_id] = Claim(device_id, epoch, stamp, loop.create_future())
            if ended_at is not None:
                claim.floor = max(claim.floor, ended_at)
                self._settled.put((device_id, older), None)
            elif older is not None:
                claim.open[older] = node
        if len(claims) < len(devices):
            raise Unavailable("The lease of this node is over.")
        for device_id, claim in claims.items():
            before = self._transit.get(device_id)
            if before is not None:
                before.lost = True
                if not before.ready.done():
                    before.ready.set_result(None)
            self._transit[device_id] = claim
            for other, epoch in self._waits.add(claim):
                self._mail.post(other, "surrender", [str(device_id), epoch])
        return claims

    # Claims of others.

    def _taken(self, device_id: uuid.UUID, epoch: int, asker: uuid.UUID | None = None) -> None:
        """Another node, `asker` if known, has taken this session from us, or a claim that was on its way to be one."""
        asking = self._claims.asking(device_id)
        if asking is not None:
            asking.add_done_callback(lambda _: self._taken(device_id, epoch, asker))
            return
        claim = self._transit.get(device_id)
        if claim is not None and claim.epoch <= epoch:
            claim.lost = True
            if claim.open:  # whom it waits for must have ended, too
                claim.ready.add_done_callback(lambda _: self._give_up(device_id, epoch, claim.floor, asker))
                return
        self._give_up(device_id, epoch, 0 if claim is None else claim.floor, asker)

    def _give_up(self, device_id: uuid.UUID, epoch: int, floor: int, asker: uuid.UUID | None) -> None:
        def ended(stamp: int) -> None:
            last = max(stamp, floor, now_ms())
            self._ends.put((device_id, epoch), last)
            if asker is not None:
                self._mail.post(asker, "ended", [str(device_id), epoch, last])

        self._holder.surrender(device_id, epoch, ended)

    async def _recheck(self) -> None:
        """The lease was over: close what others have held meanwhile. Raises Unavailable."""
        sessions = self._holder.held()
        for start in range(0, len(sessions), MOST):
            part = sessions[start : start + MOST]
            rows = await self._line.rows(STILL_SQL, {"node": self.node.id, **_columns(part)})
            still = {device_id for (device_id,) in rows}
            for device_id, epoch in part:
                if device_id not in still:
                    self._holder.lost(device_id, epoch)

    # Deliveries.

    async def owner(self, device_id: uuid.UUID) -> uuid.UUID | None:
        """The living node that has this device's session. Raises Unavailable."""
        rows = await self._line.rows(OWNER_SQL, {"device": device_id})
        found: uuid.UUID | None = rows[0][0] if rows else None
        return found

    async def deliver(
        self, device_id: uuid.UUID, topic: str, payload: bytes, qos: int, seconds: float = DELIVER_SECONDS
    ) -> bool:
        """Send to the device wherever it is connected, once at most. False when it did not get it, or that is not known
        in time; with QoS 1 it must have acknowledged. Raises Unavailable.
        """
        owner = await self.owner(device_id)
        if owner is None:
            return False
        try:
            async with asyncio.timeout(seconds):
                if owner == self.node.id:
                    return await self._holder.deliver(device_id, topic, payload, qos)
                return await self._deliver_to(owner, [str(device_id), topic, base64.b64encode(payload).decode(), qos])
        except TimeoutError:
            return False

    async def _deliver_to(self, owner: uuid.UUID, what: list[Any]) -> bool:
        if len(self._deliveries) >= MOST_DELIVERIES:
            return False
        number = next(self._numbers)
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._deliveries[number] = answer
        try:
            self._mail.post(owner, "deliver", [number, *what])
            return await answer
        finally:
            del self._deliveries[number]

    async def _deliver_for(self, sender: uuid.UUID, number: int, device: str, topic: str, body: str, qos: int) -> None:
        done = await self._holder.deliver(uuid.UUID(device), topic, base64.b64decode(body), qos)
        self._mail.post(sender, "delivered", [number, done])

    def _read(self, sender: uuid.UUID, kind: str, item: list[Any]) -> None:
        """One item of a letter."""
        if kind == "surrender":
            self._taken(uuid.UUID(item[0]), item[1], sender)
        elif kind == "ended":
            self._waits.ended(uuid.UUID(item[0]), item[1], item[2])
        elif kind == "deliver" and len(self._tasks) < MOST_DELIVERIES:
            self._keep(asyncio.get_running_loop().create_task(self._deliver_for(sender, *item)))
        elif kind == "delivered":
            answer = self._deliveries.get(item[0])
            if answer is not None and not answer.done():
                answer.set_result(item[1])

    # What is written late.

    async def _release(self, rows: dict[Key, int]) -> None:
        arguments = {"node": self.node.id, "stamps": list(rows.values()), **_columns(list(rows))}
        await self._line.rows(RELEASE_SQL, arguments)

    async def _yield(self, rows: dict[Key, int]) -> None:
        await self._line.rows(YIELD_SQL, {"stamps": list(rows.values()), **_columns(list(rows))})

    async def _forget(self, rows: dict[Key, None]) -> None:
        await self._line.rows(FORGET_SQL, _columns(list(rows)))

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _columns(keys: Sequence[Key]) -> dict[str, list[Any]]:
    return {"devices": [device for device, _ in keys], "epochs": [epoch for _, epoch in keys]}
