"""What becomes of messages: senders wait while the pipeline is full, and hear of it when a batch is committed."""

import asyncio
import itertools
import logging
from collections.abc import Mapping, Sequence

from thingsboard.kernel.batch import Refused as Refusal
from thingsboard.transports.messages import Uplink
from thingsboard.transports.mqtt.flow import CLOSED, FULL
from thingsboard.transports.mqtt.front import Connection
from thingsboard.transports.mqtt.port import IngestPort

log = logging.getLogger(__name__)

# Connections that are let in at a time after the pipeline was full; between two such groups the loop looks at its sockets.
RESUME_AT_ONCE = 64


class Settlement:
    """The part of the server that stands between its connections and its ingest."""

    loop: asyncio.AbstractEventLoop
    ingest: IngestPort

    def __init__(self) -> None:
        self._waiting: dict[Connection, None] = {}  # those that wait for room, longest first
        self._full = False

    def refused(self, connection: Connection, reason: str, message: str = "") -> None:
        """Count a refusal."""
        raise NotImplementedError

    def forget(self, connection: Connection) -> None:
        """It waits no more."""
        self._waiting.pop(connection, None)

    def account(self, connection: Connection, messages: int, size: int) -> None:
        """Count what a connection appended; when the pipeline is full it waits for `room`."""
        if self.ingest.account(messages, size):
            self._full = True
            connection.hold(FULL)
            self._waiting[connection] = None

    def room(self) -> None:
        """The pipeline has emptied to the half: let the waiting in, in the order in which they began to wait."""
        self._full = False
        self._let_in()

    def _let_in(self) -> None:
        for connection in list(itertools.islice(self._waiting, RESUME_AT_ONCE)):
            del self._waiting[connection]
            connection.release(FULL)
        if self._waiting and not self._full:
            self.loop.call_soon(self._let_in)

    def settle(self, batch: Sequence[Uplink], refusals: Mapping[int, Refusal]) -> None:
        """A batch is committed: acknowledge, one write per connection."""
        if refusals:
            self._settle_refused(batch, refusals)
            return
        touched: list[Connection] = []
        for message in batch:
            connection, ack = message[4]
            acks = connection.acks
            if not acks:
                touched.append(connection)
            acks.append(ack)
        for connection in touched:
            connection.flush()

    def _settle_refused(self, batch: Sequence[Uplink], refusals: Mapping[int, Refusal]) -> None:
        """As `settle`. A refused message has an answer of its own in MQTT 5; else its connection is acknowledged up to it,
        then closed.
        """
        touched: dict[Connection, None] = {}
        for index, message in enumerate(batch):
            connection, ack = message.ticket
            touched[connection] = None
            refusal = refusals.get(index)
            if refusal is not None:
                self.refused(connection, refusal.code, refusal.reason)
                if connection.state != CLOSED:
                    log.debug("Device %s: %s", message.session.device_id, refusal.reason)
                ack = connection.refused(ack, refusal)
            connection.acks.append(b"" if connection.spoiled else ack)
        for connection in touched:
            connection.flush()
            if connection.spoiled:
                connection.give_up(connection.spoiled)
