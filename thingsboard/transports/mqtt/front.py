"""One connection: frames packets, hands device messages to ingest, acknowledges what is committed.

Everything per message happens in `_read` (in) and `MqttServer.settle` with `flush` (out); neither awaits nor makes a task.
A byte-level translation of MQTT 5 has its place in front of `_read` and in the answers of packets.py.
"""

import asyncio
from typing import Any, Protocol

from thingsboard.kernel.time import now_ms
from thingsboard.transports.messages import Uplink
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.broker import Reader
from thingsboard.transports.mqtt.limits import MAX_CONNECT, MAX_CONTROL, Counters, Limits
from thingsboard.transports.mqtt.packets import Malformed
from thingsboard.transports.mqtt.topics import UPLINKS, dropped_as
from thingsboard.transports.session import RUN_AHEAD_MS, DeviceSession

# States of a connection.
NEW, CONNECTING, READY, CLOSED = range(4)

# Why a connection is not read; any number of them at a time.
FULL, UNACKED, AHEAD, CONTROL, ADMISSION, STOPPING = (1 << bit for bit in range(6))

PUBLISH_ANSWERS = (b"", b"\x40\x02", b"\x50\x02")  # by QoS: nothing, PUBACK, PUBREC
NO_ID = b"\x40\x02\0\0"

new_tuple: Any = tuple.__new__  # half the cost of calling Uplink(...), on the hottest line of the platform


class Hub(Protocol):
    """What a connection needs of its server."""

    limits: Limits
    counters: Counters
    clock: float  # seconds, monotonic, renewed by every sweep
    loop: asyncio.AbstractEventLoop

    def arrived(self, connection: "Connection") -> bool: ...
    def left(self, connection: "Connection") -> None: ...
    def admit(self, connection: "Connection", connect: packets.Connect) -> None: ...
    def account(self, connection: "Connection", messages: int, size: int) -> None: ...


class Connection(asyncio.Protocol):
    """A device's TCP connection, from its first byte to its last acknowledgement."""

    __slots__ = (
        "_append", "_awaited", "_control", "_grant", "_hub", "_need", "_quiet", "_rest",
        "acks", "client_id", "heard", "held", "patience", "plan", "reader", "receipts", "session", "shard", "spoiled",
        "state", "transport", "unacked",
    )  # fmt: skip

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.state = NEW
        self.held = 0  # why it is not read
        self.heard = hub.clock  # when it last sent something
        self.patience = hub.limits.connect_timeout  # how long it may be silent, in seconds
        self.acks: list[bytes] = []  # of committed messages, until `flush`
        self.unacked = 0  # messages on their way to the commit, those of QoS 0 included
        self.spoiled = False  # a message was refused: nothing after it is acknowledged
        self.receipts: dict[bytes, bool] | None = None  # QoS 2: packet id -> committed
        self.reader: Reader | None = None
        self.session: DeviceSession
        self.shard: Any
        self.plan: Any = None
        self.client_id = ""  # inside amqtt
        self._rest = bytearray()  # an incomplete packet
        self._need = 0  # bytes it takes to go on; 0 when not known
        self._control = 0  # SUBSCRIBE and UNSUBSCRIBE that amqtt has not answered yet
        self._awaited = 0  # QoS 1 publishes to the device that it has not acknowledged yet
        self._quiet = (self, b"")  # the ticket of every QoS 0 message

    # Transport.

    def connection_made(self, transport: Any) -> None:
        """Take it in, or drop it when there are too many."""
        self.transport: asyncio.Transport = transport
        transport.set_write_buffer_limits(high=self._hub.limits.write_buffer)
        if not self._hub.arrived(self):
            self.close("connections")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it; what it sent is still committed."""
        self.state = CLOSED
        if self.reader is not None:
            self.reader.feed_eof()
        self._hub.left(self)

    def pause_writing(self) -> None:
        """The write buffer is over its limit: the device does not read."""
        self._hub.counters.count("slow_consumer")
        self.state = CLOSED
        self.transport.abort()

    def close(self, reason: str = "") -> None:
        """Close after what was written has left; count the reason."""
        if reason and self.state != CLOSED:
            self._hub.counters.count(reason)
        self.state = CLOSED
        self._rest.clear()
        self.patience, self.heard = self._hub.limits.connect_timeout, self._hub.clock
        if self.reader is not None:
            self.reader.feed_eof()
        self.transport.close()

    def write(self, data: bytes) -> None:
        """Send, unless it is closed."""
        if self.state != CLOSED:
            self.transport.write(data)

    def hold(self, why: int) -> None:
        """Read no further until every reason to hold is gone."""
        if self.state == CLOSED:
            return
        if not self.held:
            self.transport.pause_reading()
        self.held |= why

    def release(self, why: int) -> None:
        """Take back a reason to hold."""
        if self.held & why:
            self.held &= ~why
            if not self.held and self.state != CLOSED:
                self.heard = self._hub.clock
                self.transport.resume_reading()

    # In.

    def data_received(self, data: bytes) -> None:
        """Bytes of any cut."""
        rest = self._rest
        if rest:
            rest += data
            if len(rest) < self._need:
                return
            data = bytes(rest)
            rest.clear()
        if self.state == READY:
            self.heard = self._hub.clock
            self._read(data)
        elif self.state == NEW:
            self._first(data)
        elif self.state == CONNECTING:
            rest += data

    def _first(self, data: bytes) -> None:
        """The first packet must be a CONNECT of a modest size; anything else ends the connection at once."""
        try:
            if data[0] != 0x10:
                raise Malformed("first_packet")
            length, start = packets.remaining_length(data, 1)
            if length > MAX_CONNECT:
                raise Malformed("connect_size")
            if length < 0 or start + length > len(data):
                self._keep(data, 0 if length < 0 else start + length)
                return
            connect = packets.parse_connect(data[start : start + length])
        except Malformed as error:
            self.close(error.reason)
            return
        except packets.WrongVersion as error:
            self.refuse(error.answer, "version")
            return
        self.state = CONNECTING
        self.heard = self._hub.clock
        self._keep(data[start + length :], 0)
        self.hold(ADMISSION)
        self._hub.admit(self, connect)

    def _keep(self, data: bytes, need: int) -> None:
        self._rest += data
        self._need = need

    def _read(self, data: bytes) -> None:
        """The hot path: packets of an admitted device."""
        now, limit = now_ms(), self._hub.limits.max_payload
        append, session, quiet, kind_of = self._append, self.session, self._quiet, UPLINKS.get
        size, at, count, volume, reason = len(data), 0, 0, 0, ""
        self._need = 0
        try:
            while size - at >= 2:
                head, length, start = data[at], data[at + 1], at + 2
                if length > 127:
                    length, start = packets.remaining_length(data, at + 1)
                    if length < 0:
                        break
                    if length > limit:
                        self._hub.limits.check_packet(length)
                end = start + length
                if end > size:
                    self._need = end - at
                    break
                at = end
                if head & 0xF4 == 0x30 and length > 4:
                    body = start + 2 + (data[start] << 8 | data[start + 1])
                    kind = kind_of(data[start + 2 : body])
                    if kind is not None and body + 2 <= end <= body + limit:
                        if head & 2:
                            ticket = (self, b"\x40\x02" + data[body : body + 2])
                            body += 2
                            if ticket[1] == NO_ID:
                                raise Malformed("packet_id")
                        else:
                            ticket = quiet
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
            self._queued(count, volume)
        if reason:
            self.close(reason)
        elif at < size and self.state == READY:
            self._rest += data[at:] if at else data

    def _queued(self, count: int, volume: int) -> None:
        """Messages were appended: wake the shard, and stop reading when there are too many on their way."""
        self.unacked += count
        self.shard.kick()
        self._hub.account(self, count, volume)
        if self.unacked > self._hub.limits.max_unacked:
            self.hold(UNACKED)

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
            self._released(body)
        elif len(body) == 2 and head == 0x40:
            if self._awaited:
                self._awaited -= 1
                self._to_broker(head, body)
        elif head == 0xE0 and not body:
            self.close()
        else:
            raise Malformed("second_connect" if head == 0x10 else "packet_type")
        return -1

    def _to_broker(self, head: int, body: bytes) -> None:
        if self.reader is not None:
            self.reader.feed(packets.packet(head, body))

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
        if len(payload) > self._hub.limits.max_payload:
            raise Malformed("payload_size")
        kind = UPLINKS.get(topic)
        ack = PUBLISH_ANSWERS[qos] + packet_id
        if kind is None:
            self._hub.counters.count(dropped_as(topic))
        if qos == 2 and self._received_before(packet_id, committed=kind is None):
            return -1
        if kind is None:
            self.write(ack)
            return -1
        ticket = (self, ack) if qos else self._quiet
        self._append(Uplink(self.session, kind, payload, now, ticket))
        return len(payload)

    def _received_before(self, packet_id: bytes, committed: bool) -> bool:
        """QoS 2: remember the id until PUBREL; a repetition is not stored again, only answered if it is committed."""
        if self.receipts is None:
            self.receipts = {}
        known = self.receipts.get(packet_id)
        if known is None:
            if len(self.receipts) >= self._hub.limits.max_unacked:
                raise Malformed("unreleased")
            self.receipts[packet_id] = committed
            return False
        if known:
            self.write(b"\x50\x02" + packet_id)
        return True

    def _released(self, packet_id: bytes) -> None:
        """PUBREL. An id we do not know comes from an earlier connection and is released as well."""
        if self.receipts is not None and self.receipts.pop(packet_id, True) is False:
            raise Malformed("early_release")
        self.write(b"\x70\x02" + packet_id)

    # Out.

    def flush(self, now: int) -> None:
        """Acknowledge what `acks` gathered, in one write; called once per committed batch."""
        acks = self.acks
        data = b"".join(acks)
        self.unacked -= len(acks)
        if self.receipts:
            for ack in acks:
                if ack[:1] == b"\x50":
                    self.receipts[ack[2:]] = True
        acks.clear()
        if self.state == CLOSED:
            return
        if data:
            self.transport.write(data)
        if self.held & UNACKED and self.unacked <= self._hub.limits.max_unacked // 2:
            self.release(UNACKED)
        ahead = self.session.clock.last - now
        if ahead > RUN_AHEAD_MS and not self.held & AHEAD:
            self.hold(AHEAD)
            self._hub.loop.call_later((ahead - RUN_AHEAD_MS // 2) / 1000, self.release, AHEAD)

    def refuse(self, answer: bytes, reason: str) -> None:
        """Answer the CONNECT with a refusal and close."""
        self.write(answer)
        self.close(reason)

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

    def enter(self, session: DeviceSession, shard: Any, keep_alive: int, coarseness: float) -> None:
        """The device was recognised: its session, the shard of its messages, its keep-alive (s), the clock's step (s)."""
        self.session, self.shard = session, shard
        self._append = shard.queue.append
        self._grant = (keep_alive * 1.5 if keep_alive else self._hub.limits.idle_timeout) + coarseness

    def _welcome(self) -> None:
        """Amqtt has its session: accept, and go on with what came behind the CONNECT."""
        if self.state != CONNECTING:
            return
        self.state, self.patience = READY, self._grant
        self.transport.write(packets.connack(packets.ACCEPTED))
        self.release(ADMISSION)
        if self._rest:
            data = bytes(self._rest)
            self._rest.clear()
            self._read(data)
