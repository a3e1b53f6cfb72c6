"""What the session registry asks of the MQTT sessions of this process, and what it is told of them.

A session counts as ended when nothing of it is on its way any more: only then may the device's next one be read, here or on
another node. Until then its connection is kept in `draining`, also after it was closed.
"""

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

from thingsboard.kernel.time import now_ms
from thingsboard.transports.mqtt.flow import INHERITED
from thingsboard.transports.mqtt.front import FINISH_SECONDS, Connection
from thingsboard.transports.mqtt.port import IngestPort
from thingsboard.transports.registry import Claim, Registry

Ended = Callable[[int], None]
Deliver = Callable[[uuid.UUID, str, bytes, int], Coroutine[Any, Any, bool]]


class Sessions:
    """The newest session of each device in `devices`, older ones with messages on their way in `draining`."""

    def __init__(self, ingest: IngestPort, deliver: Deliver) -> None:
        """`ingest` is where the messages go; `deliver` sends to a session of this process."""
        self.devices: dict[uuid.UUID, Connection] = {}
        self.draining: dict[uuid.UUID, Connection] = {}
        self.registry = Registry(self, ingest.lease)
        self._ingest, self._deliver = ingest, deliver
        self._waiting: dict[uuid.UUID, list[Ended]] = {}

    # As the server says.

    def begin(self, connection: Connection, claim: Claim) -> None:
        """It is the device's session from now on. It is read once nothing of an older one is on its way."""
        device_id = claim.device_id
        older = self.devices.get(device_id)
        connection.epoch = claim.epoch
        self.devices[device_id] = connection
        if older is not None:
            older.close("takeover")
            if older.unacked:
                self.draining[device_id] = older
        if device_id in self.draining:
            connection.hold(INHERITED)

    def left(self, connection: Connection) -> None:
        """Its TCP connection is gone."""
        device_id = connection.session.device_id
        if self.devices.get(device_id) is connection:
            del self.devices[device_id]
        if connection.unacked:
            self.draining[device_id] = connection
        else:
            self._release(connection)

    def drained(self, connection: Connection) -> None:
        """It is closed, and nothing of it is on its way: the next session may be read."""
        device_id = connection.session.device_id
        if self.draining.get(device_id) is not connection:
            return
        del self.draining[device_id]
        self._ingest.lease.forget(connection.session)
        self._release(connection)
        for ended in self._waiting.pop(device_id, ()):
            ended(connection.session.clock.last)
        heir = self.devices.get(device_id)
        if heir is not None:
            heir.release(INHERITED)

    def _release(self, connection: Connection) -> None:
        if connection.epoch:
            self.registry.release(connection.session.device_id, connection.epoch, connection.session.clock.last)
            connection.epoch = 0

    # As the registry asks.

    def held(self) -> list[tuple[uuid.UUID, int]]:
        """As Holder.held."""
        both = (self.devices, self.draining)
        return [(device_id, each.epoch) for part in both for device_id, each in part.items() if each.epoch]

    def surrender(self, device_id: uuid.UUID, epoch: int, ended: Ended) -> None:
        """As Holder.surrender."""
        connection = self.devices.get(device_id)
        if connection is not None and connection.epoch <= epoch and self._ingest.lease.over():
            self.lost(
                device_id, connection.epoch
            )  # the asker has not waited for us, so what we have just read is too late
        elif connection is not None and connection.epoch <= epoch:
            connection.epoch = 0
            connection.finish("takeover")
            if connection.unacked:
                self.draining[device_id] = connection
        debtor = self.draining.get(device_id)
        if debtor is None:
            ended(self._ingest.last_stamp(device_id))
            return
        waiting = self._waiting.setdefault(device_id, [])
        if not waiting:
            asyncio.get_running_loop().call_later(FINISH_SECONDS, self._ended_late, debtor)
        waiting.append(ended)

    def _ended_late(self, connection: Connection) -> None:
        """The commit takes its time. What is on its way takes one stamp each at most, so the next ones may be given."""
        session = connection.session
        if self.draining.get(session.device_id) is connection:
            last = max(session.clock.last, now_ms()) + connection.unacked
            for ended in self._waiting.pop(session.device_id, ()):
                ended(last)

    def lost(self, device_id: uuid.UUID, epoch: int) -> None:
        """As Holder.lost."""
        for connection in {self.devices.get(device_id), self.draining.get(device_id)}:
            if connection is not None and connection.epoch == epoch:
                connection.epoch = 0
                if connection.unacked:
                    self._ingest.lease.lose(connection.session)
                    self.draining[device_id] = connection
                connection.close("takeover")

    async def deliver(self, device_id: uuid.UUID, topic: str, payload: bytes, qos: int) -> bool:
        """As Holder.deliver."""
        return await self._deliver(device_id, topic, payload, qos)
