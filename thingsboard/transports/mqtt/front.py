"""One device's connection: frames packets, hands its messages to ingest, acknowledges what is committed.

Everything per message happens in `_burst` (in), and in `MqttServer.settle` and `flush` (out); none awaits or makes a task.
A byte-level translation of MQTT 5 has its place around these: in front of `_read`, and behind `write`.
"""

from typing import Any

from devices.services.credentials import DeviceIdentity
from rules.services import IngestPlan
from thingsboard.kernel.time import now_ms
from thingsboard.transports.messages import Uplink
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.broker import Reader
from thingsboard.transports.mqtt.flow import (
    ADMISSION,
    AHEAD,
    CLOSED,
    CONNECTING,
    CONTROL,
    NEW,
    READY,
    UNACKED,
    Flow,
    Hub,
)
from thingsboard.transports.mqtt.limits import MAX_CONNECT, MAX_CONTROL
from thingsboard.transports.mqtt.packets import PUBACK, PUBCOMP, PUBREC, Malformed
from thingsboard.transports.mqtt.receipts import Receipts
from thingsboard.transports.mqtt.topics import UPLINKS, dropped_as
from thingsboard.transports.session import RUN_AHEAD_MS, DeviceSession

ANSWERS = (b"", PUBACK, PUBREC)  # to a publish, by QoS
ACK_OF_NO_ID = PUBACK + b"\0\0"
NOBODY = (None, b"")

# Messages that are taken at a time, before it is looked whether there are too many on their way.
BURST = 250

new_tuple: Any = tuple.__new__  # half the cost of calling Uplink(...), on the hottest line of the platform


class Connection(Flow):
    """From the first byte to the last acknowledgement."""

    __slots__ = (
        "_append", "_awaited", "_control", "_grant", "_need", "_quiet", "_receipts", "_rest",
        "acks", "client_id", "identity", "plan", "reader", "session", "shard", "spoiled", "unacked",
    )  # fmt: skip

    identity: DeviceIdentity  # these three from `enter` on
    session: DeviceSession
    shard: Any

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.acks: list[bytes] = []  # of committed messages, until `flush`; b"" for QoS 0
        self.unacked = 0  # messages on their way to the commit, those of QoS 0 included
        self.spoiled = False  # a message was refused: nothing after it is acknowledged
        self.plan = IngestPlan.STORE
        self.client_id = ""  # inside amqtt
        self.reader: Reader | None = None  # what amqtt reads
        self._receipts: Receipts | None = None
        self._rest = bytearray()  # an incomplete packet
        self._need = 0  # bytes of it that it takes to go on; 0 when not known
        self._control = 0  # SUBSCRIBE and UNSUBSCRIBE that amqtt has not answered yet
        self._awaited = 0  # QoS 1 publishes to the device that it has not acknowledged yet
        self._quiet: tuple[Any, bytes] = (self, b"")  # the ticket of every QoS 0 message

    def ended(self) -> None:
        """Tell amqtt, and let go of what refers to the connection itself: the collector comes rarely."""
        self._rest.clear()
        self._quiet = NOBODY
        if self.reader is not None:
            self.reader.feed_eof()

    def data_received(self, data: bytes) -> None:
        """Bytes of any cut."""
        state, rest = self.state, self._rest
        if state == READY:
            self.heard = self.hub.clock
        if rest or self.held:
            rest += data
            if len(rest) < self._need or self.held:
                return
            data = bytes(rest)
            rest.clear()
        if state == READY:
            self._read(data)
        elif state == NEW:
            self._first(data)

    def _first(self, data: bytes) -> None:
        """The first packet must be a CONNECT of a modest size; anything else ends the connection at once."""
        try:
            connect, end = packets.first_packet(data, MAX_CONNECT)
        except Malformed as error:
            self.close(error.reason)
            return
        except packets.WrongVersion as error:
            self.refuse(error.answer, error.reason)
            return
        if connect is None:
            self._rest += data
            self._need = end
            return
        self.state, self.heard = CONNECTING, self.hub.clock
        self._rest += data[end:]
        self._need = 0
        self.hold(ADMISSION)
        self.hub.admit(self, connect)

    def enter(self, identity: DeviceIdentity, session: DeviceSession, shard: Any, patience: float) -> None:
        """The device was recognised; from now on it may be silent for `patience` seconds."""
        self.identity, self.session, self.shard, self._grant = identity, session, shard, patience
        self._append = shard.queue.append

    def _welcome(self) -> None:
        """The session exists: accept, and go on with what came behind the CONNECT."""
        if self.state != CONNECTING:
            return
        self.state, self.patience = READY, self._grant
        self.transport.write(packets.connack(packets.ACCEPTED))
        self.release(ADMISSION)

    def resumed(self) -> None:
        """Go on with what a burst or the CONNECT left over."""
        if self._rest and self.state == READY:
            data = bytes(self._rest)
            self._rest.clear()
            self._read(data)

    def _read(self, data: bytes) -> None:
        """Packets of an admitted device; a long run of them in bursts, between which it may be held."""
        while self._burst(data) and not self.held:
            data = bytes(self._rest)
            self._rest.clear()

    def _burst(self, data: bytes) -> bool:
        """The hot path: at most BURST messages. Keeps the rest; True when there may be more in it."""
        now, limit, self._need = now_ms(), self.hub.limits.max_payload, 0
        append, session, quiet, kind_of = self._append, self.session, self._quiet, UPLINKS.get
        size, at, count, volume, reason = len(data), 0, 0, 0, ""
        try:
            while size - at >= 2 and count < BURST:
                head, length, start = data[at], data[at + 1], at + 2
                if length > 127:
                    length, start = packets.remaining_length(data, at + 1)
                    if length < 0:
                        break
                    if length > limit:
                        self.hub.limits.check_packet(length)
                end = start + length
                if end > size:
                    self._need = end - at
                    break
                at = end
                if head & 0xF4 == 0x30 and length > 4:
                    body = start + 2 + (data[start] << 8 | data[start + 1])
                    kind = kind_of(data[start + 2 : body])
                    if kind is not None and body + 2 <= end <= body + limit:
                        ticket = quiet
                        if head & 2:
                            ticket = (self, PUBACK + data[body : body + 2])
                            body += 2
                            if ticket[1] == ACK_OF_NO_ID:
                                raise Malformed("packet_id")
                        append(new_tuple(Uplink, (session, kind, data[body:end], now, ticket)))
                        count += 1
                        volume += end - body
                        continue
                taken = self._other(head, data[start:end], now)
                if taken >= 0:
                    count += 1
                    volume += taken
                elif self.state != READY:
                    break
        except Malformed as error:
            reason = error.reason
        if count:
            self._queued(count, volume, now)
        if reason:
            self.close(reason)
        elif at < size and self.state == READY:
            self._rest += data[at:] if at else data
            return count >= BURST
        return False

    def _queued(self, count: int, volume: int, now: int) -> None:
        """Messages were appended: wake the shard, and stop reading when there are too many on their way."""
        self.unacked = unacked = self.unacked + count
        self.shard.kick()
        self.hub.account(self, count, volume)
        if unacked > self.hub.limits.max_unacked:
            self.hold(UNACKED)
        ahead = self.session.clock.last - now
        if (ahead + unacked if ahead > 0 else unacked) > RUN_AHEAD_MS - BURST:
            self.hold(AHEAD)

    def _pace(self) -> None:
        """Read on once the stamps are near the clock again; each message on its way may take one, a millisecond.

        So they never run ahead by more than RUN_AHEAD_MS, on which a next process relies (process.py).
        """
        ahead = max(0, self.session.clock.ahead_ms()) + self.unacked
        if ahead <= RUN_AHEAD_MS // 2:
            self.release(AHEAD)
        elif not self.unacked:  # else the next flush comes here
            self.hub.loop.call_later((ahead - RUN_AHEAD_MS // 2) / 1000, self._pace)

    def _other(self, head: int, body: bytes, now: int) -> int:
        """Whatever is not the usual publish. The payload's bytes when a message was queued, else -1."""
        if head & 0xF0 == 0x30:
            return self._publish(head >> 1 & 3, body, now)
        if head == 0xC0 and not body:
            self.write(packets.PINGRESP)
        elif head in (0x82, 0xA2):
            packets.check_filters(body, with_qos=head == 0x82)
            self._control += 1
            if self._control > MAX_CONTROL:
                self.hold(CONTROL)
            self._to_broker(head, body)
        elif len(body) == 2 and head == 0x62:
            if self._receipts is not None:
                self._receipts.release(body)
            self.write(PUBCOMP + body)
        elif len(body) == 2 and head == 0x40:
            if self._awaited:
                self._awaited -= 1
                self._to_broker(head, body)
        elif head == 0xE0 and not body:
            self.close()
        else:
            raise Malformed("second_connect" if head == 0x10 else "packet_type")
        return -1

    def _publish(self, qos: int, body: bytes, now: int) -> int:
        """A publish of QoS 2, to another topic, or malformed."""
        fields = packets.Fields(body, "publish")
        topic = fields.binary()
        if qos == 3:
            raise Malformed("qos")
        packet_id = fields.short().to_bytes(2, "big") if qos else b""
        if packet_id == b"\0\0":
            raise Malformed("packet_id")
        payload = body[fields.at :]
        if len(payload) > self.hub.limits.max_payload:
            raise Malformed("payload_size")
        kind, ack = UPLINKS.get(topic), ANSWERS[qos] + packet_id
        if kind is None:
            self.hub.counters.count(dropped_as(topic))
        if qos == 2:
            if self._receipts is None:
                self._receipts = Receipts(self.hub.limits.max_unacked)
            answerable = self._receipts.receive(packet_id, committed=kind is None)
            if answerable is not None:
                if answerable:
                    self.write(ack)
                return -1
        if kind is None:
            self.write(ack)
            return -1
        self._append(Uplink(self.session, kind, payload, now, (self, ack) if qos else self._quiet))
        return len(payload)

    def flush(self) -> None:
        """Acknowledge what `acks` gathered, in one write; called once per committed batch."""
        acks = self.acks
        data = b"".join(acks)
        self.unacked -= len(acks)
        if self._receipts is not None:
            self._receipts.commit(acks)
        acks.clear()
        if self.state == CLOSED:
            return
        if data:
            self.transport.write(data)
        if self.held & UNACKED and self.unacked <= self.hub.limits.max_unacked // 2:
            self.release(UNACKED)
        if self.held & AHEAD:
            self._pace()

    def _to_broker(self, head: int, body: bytes) -> None:
        if self.reader is not None:
            self.reader.feed(packets.packet(head, body))

    def from_broker(self, data: bytes) -> None:
        """A packet that amqtt sends to the device."""
        head = data[0]
        if head == 0x20:
            self._welcome()
            return
        if head in (0x90, 0xB0):
            self._control -= 1
            if self._control <= MAX_CONTROL // 2:
                self.release(CONTROL)
        elif head & 0xF6 == 0x32:
            self._awaited += 1
        self.write(data)
