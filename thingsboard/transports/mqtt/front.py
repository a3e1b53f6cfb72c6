"""One device's connection: frames packets, hands its messages to ingest, acknowledges what is committed.

Everything per message happens in `_burst` (in), and in `MqttServer.settle` and `flush` (out); none awaits or makes a task.
A publish of MQTT 5 without properties differs by one byte; one with properties is translated, unless they are familiar.
"""

from typing import Any

from devices.services.credentials import DeviceIdentity
from thingsboard.kernel.batch import Refused
from thingsboard.kernel.time import now_ms
from thingsboard.transports.messages import Uplink
from thingsboard.transports.mqtt import packets, session_limits, v5
from thingsboard.transports.mqtt.diagnosis import about_topic
from thingsboard.transports.mqtt.dialogue import Dialogue
from thingsboard.transports.mqtt.flow import AHEAD, CLOSED, ENDING, NEW, READY, UNACKED, Hub
from thingsboard.transports.mqtt.packets import PUBACK, PUBREC, Malformed
from thingsboard.transports.mqtt.receipts import Receipts
from thingsboard.transports.mqtt.topics import UPLINKS, dropped_as
from thingsboard.transports.session import RUN_AHEAD_MS, DeviceSession

ANSWERS = (b"", PUBACK, PUBREC)  # to a publish, by QoS
ACK_OF_NO_ID = PUBACK + b"\0\0"
NOBODY = (None, b"")
# How long a connection that is to end waits for the commit of what it sent, in seconds.
FINISH_SECONDS = 1.0
# Messages that are taken at a time, before it is looked whether there are too many on their way.
BURST = 250
new_tuple: Any = tuple.__new__  # half the cost of calling Uplink(...), on the hottest line of the platform


class Connection(Dialogue):
    """From the first byte to the last acknowledgement."""

    __slots__ = ("_append", "_ending", "_quiet", "acks", "spoiled", "unacked")

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.acks: list[bytes] = []  # of committed messages, until `flush`; b"" for QoS 0
        self.unacked = 0  # messages on their way to the commit, those of QoS 0 included
        self.spoiled = ""  # why a message was refused: nothing after it is acknowledged
        self._ending = ""  # why it is closed once everything is acknowledged
        self._quiet: tuple[Any, bytes] = (self, b"")  # the ticket of every QoS 0 message

    def ended(self) -> None:
        """Tell amqtt, and let go of what refers to the connection itself: the collector comes rarely."""
        self._rest.clear()
        self._quiet = NOBODY
        if self.five is not None:
            self.five.window.close()
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

    def enter(self, identity: DeviceIdentity, session: DeviceSession, shard: Any, patience: float) -> None:
        """As Dialogue.enter."""
        super().enter(identity, session, shard, patience)
        self._append = shard.queue.append
        if session.clock.ahead_ms() > RUN_AHEAD_MS - BURST:
            self.hold(AHEAD)
            self._pace()

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
        size, at, count, loud, volume, reason = len(data), 0, 0, 0, 0, ""
        five = 0 if self.five is None else 1  # the byte that says "no properties"
        least = 2 + five
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
                    first = body + (head & 2)
                    if kind is not None and body + least <= end <= body + limit and not (five and data[first]):
                        ticket = quiet
                        if head & 2:
                            ticket = (self, PUBACK + data[body:first])
                            loud += 1
                            if ticket[1] == ACK_OF_NO_ID:
                                raise Malformed("packet_id")
                        first += five
                        append(new_tuple(Uplink, (session, kind, data[first:end], now, ticket)))
                        count += 1
                        volume += end - first
                        continue
                taken = self._other(head, data[start:end], now, count)
                if taken >= 0:
                    count += 1
                    volume += taken
                elif self.held or self.state != READY:
                    break
        except Malformed as error:
            reason = error.reason
        if count:
            self._queued(count, volume, now)
        if loud and self.five is not None and self.five.overrun(loud, self.hub.limits.max_unacked):
            reason = reason or "receive_maximum"
        if reason:
            self.finish(reason)
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

    def _other(self, head: int, body: bytes, now: int, count: int) -> int:
        """Whatever is not the usual publish, behind `count` others. The payload's bytes when it was queued, else -1."""
        if self.five is not None:
            if head & 0xF4 == 0x30 and (taken := self._familiar(head, body, now)) >= 0:
                return taken
            body = self.five.inward(head, body)
        if head & 0xF0 == 0x30:
            return self._publish(head >> 1 & 3, body, now, count)
        self._converse(head, body)
        return -1

    def _familiar(self, head: int, body: bytes, now: int) -> int:
        """A publish with properties as there were before, else usual. The payload's bytes when it was queued, else -1."""
        topic, packet_id, payload = self.five.familiar(head, body) or (b"", b"", b"")  # type: ignore[union-attr]
        kind = UPLINKS.get(topic)
        if kind is None or packet_id == b"\0\0" or len(payload) > self.hub.limits.max_payload:
            return -1
        return self._take(kind, payload, now, PUBACK + packet_id if packet_id else b"")

    def _take(self, kind: Any, payload: bytes, now: int, ack: bytes) -> int:
        """Queue a message that is not the hot path's; the payload's bytes."""
        if ack and self.five is not None and self.five.overrun(1, self.hub.limits.max_unacked):
            raise Malformed("receive_maximum")
        self._append(Uplink(self.session, kind, payload, now, (self, ack) if ack else self._quiet))
        return len(payload)

    def _publish(self, qos: int, body: bytes, now: int, count: int) -> int:
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
        said = b""
        if kind is None:
            said = session_limits.answer(topic, payload, self.hub.limits)
            if not said and self._unwanted(topic, ack, count):
                return -1
        if qos == 2:
            if self._receipts is None:
                self._receipts = Receipts(self.hub.limits.max_unacked)
            answerable = self._receipts.receive(packet_id, committed=kind is None)
            if answerable is not None:
                if answerable:
                    self.write(ack)
                return -1
        if kind is None:
            self._answer(ack, count)
            if said:
                self.say(said)
            return -1
        return self._take(kind, payload, now, ack)

    def _answer(self, ack: bytes, count: int) -> None:
        """Acknowledge what is not stored: at once, or in its turn while earlier messages are on their way."""
        unsettled = self.unacked + count
        if not unsettled or not ack:
            self.write(ack)
            return
        if self._receipts is None:
            self._receipts = Receipts(self.hub.limits.max_unacked)
        if self._receipts.owe(ack, unsettled):
            self.hold(UNACKED)

    def _unwanted(self, topic: bytes, ack: bytes, count: int) -> bool:
        """Count a publish that ingest does not take; True when MQTT 5 has told the device that there is no such topic."""
        reason = dropped_as(topic)
        self.hub.refused(self, reason, about_topic(reason, topic))
        if reason != "unknown_topic" or self.five is None or not ack:
            return False
        self._answer(self.five.refused(ack, v5.BAD_TOPIC, "A device does not publish to this topic."), count)
        return True

    def refused(self, ack: bytes, refusal: Refused) -> bytes:
        """The answer to a refused message instead of its `ack`; "" when the connection must be closed, or for QoS 0.

        MQTT 5 has words for a bad message, so the session goes on; 3.1.1 can only close (compat/device_transports.md 2.2).
        """
        code = v5.MESSAGE_REFUSALS.get(refusal.code)
        if self.five is None or code is None:
            self.spoiled = refusal.code
            return b""
        if self._receipts is not None and ack.startswith(PUBREC):
            self._receipts.forget(ack[2:])
        return self.five.refused(ack, code, refusal.reason) if ack else b""

    def flush(self) -> None:
        """Acknowledge what `acks` gathered, in one write; called once per committed batch."""
        acks = self.acks
        settled = len(acks)
        self.unacked -= settled
        if self.five is not None:
            self.five.outstanding -= settled - acks.count(b"")
        if self._receipts is not None:
            self._receipts.commit(acks, self.spoiled)
        data = b"".join(acks)
        acks.clear()
        if self.state == CLOSED:
            if not self.unacked:
                self.hub.drained(self)
            return
        if data:
            self.transport.write(data)
        if self.held:
            self._relieve()

    def _relieve(self) -> None:
        """Messages were acknowledged: read on if that was what it waited for, or end."""
        if self.held & ENDING and not self.unacked:
            self.close(self._ending)
            self.hub.drained(self)
            return
        if self.held & UNACKED and self.unacked <= self.hub.limits.max_unacked // 2:
            self.release(UNACKED)
        if self.held & AHEAD:
            self._pace()

    def finish(self, reason: str) -> None:
        """Read no further, let what was sent be acknowledged, then close; after a second in any case."""
        if not self.unacked or self.state != READY:
            self.close(reason)
        elif not self._ending:
            self._ending = reason
            self.hold(ENDING)
            self.hub.loop.call_later(FINISH_SECONDS, self.close, reason)
