"""What a connection says and hears besides its messages: its CONNECT, its subscriptions, pings, and the goodbye.

Both versions meet here. `five` is None for 3.1 and 3.1.1; for MQTT 5 it translates, packet by packet, so that everything
behind this room sees 3.1.1 alone.
"""

from typing import Any

from devices.services.credentials import DeviceIdentity
from thingsboard.transports.mqtt import packets, v5
from thingsboard.transports.mqtt.broker import Reader
from thingsboard.transports.mqtt.dialect import MAX_ALIASES, Dialect
from thingsboard.transports.mqtt.flow import ADMISSION, CONNECTING, CONTROL, READY, Flow, Hub
from thingsboard.transports.mqtt.limits import MAX_CONNECT, MAX_CONTROL
from thingsboard.transports.mqtt.packets import PUBCOMP, Malformed
from thingsboard.transports.mqtt.receipts import Receipts
from thingsboard.transports.session import DeviceSession


class Dialogue(Flow):
    """The parts of a connection that are not hot."""

    __slots__ = (
        "_assign", "_awaited", "_control", "_grant", "_need", "_receipts", "_rest",
        "claim", "client_id", "epoch", "five", "identity", "plan", "reader", "session", "shard",
    )  # fmt: skip

    identity: DeviceIdentity  # these three from `enter` on
    session: DeviceSession
    shard: Any

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.five: Dialect | None = None
        self.claim: packets.Connect | None = None  # its CONNECT, until the device is recognised
        self.client_id = ""  # inside amqtt
        self.epoch = 0  # of its session in the registry; 0 before it has one, and after others took it
        self.reader: Reader | None = None  # what amqtt reads
        self._assign = False  # whether it is to be told a client id, because it brought none
        self._receipts: Receipts | None = None
        self._rest = bytearray()  # an incomplete packet
        self._need = 0  # bytes of it that it takes to go on; 0 when not known
        self._control = 0  # SUBSCRIBE and UNSUBSCRIBE that amqtt has not answered yet
        self._awaited = 0  # QoS 1 publishes to the device that it has not acknowledged yet

    # How it begins.

    def _first(self, data: bytes) -> None:
        """The first packet must be a CONNECT of a modest size; anything else ends the connection at once."""
        try:
            body, end = packets.first_packet(data, MAX_CONNECT)
            if body is None:
                self._rest += data
                self._need = end
                return
            connect, terms = v5.read_connect(body)
        except Malformed as error:
            self.close(error.reason)
            return
        except v5.Unwelcome as error:
            self._answer_and_close(error.answer, error.reason)
            return
        if terms is not None:
            self.five = Dialect(terms)
            self._assign = not connect.client_id
        self.claim = connect
        self.state, self.heard = CONNECTING, self.hub.clock
        self._rest += data[end:]
        self._need = 0
        self.hold(ADMISSION)
        self.hub.admit(self, connect)

    def enter(self, identity: DeviceIdentity, session: DeviceSession, shard: Any, patience: float) -> None:
        """The device was recognised; from now on it may be silent for `patience` seconds."""
        self.identity, self.session, self.shard, self._grant = identity, session, shard, patience
        self.claim = None

    def _welcome(self) -> None:
        """The session exists: accept, and go on with what came behind the CONNECT."""
        if self.state != CONNECTING:
            return
        self.state, self.patience = READY, self._grant
        if self.five is None:
            self.transport.write(packets.connack(packets.ACCEPTED))
        else:
            limits, assigned = self.hub.limits, self.client_id if self._assign else ""
            self.transport.write(
                v5.welcome(
                    self.five.terms,
                    receive_maximum=limits.max_unacked,
                    # As ThingsBoard: who keeps to it never sends a payload that is too large.
                    maximum_packet=limits.max_payload,
                    aliases=MAX_ALIASES,
                    assigned=assigned,
                )
            )
        self.release(ADMISSION)

    # How it ends.

    def refuse(self, code: int, reason: str) -> None:
        """Answer the CONNECT with a refusal and close; `code` is the return code of 3.1.1."""
        if self.five is None:
            answer = packets.connack(code)
        else:
            answer = v5.refusal(v5.PRECISE_REFUSALS.get(reason) or v5.REFUSALS[code])
        self._answer_and_close(answer, reason)

    def _answer_and_close(self, answer: bytes, reason: str) -> None:
        self.write(answer)
        super().close(reason)

    def close(self, reason: str = "") -> None:
        """As Flow.close; who speaks MQTT 5 is told the reason."""
        if reason:
            self._say_goodbye(reason)
        super().close(reason)

    def give_up(self, reason: str) -> None:
        """Close for a reason that is counted already."""
        self._say_goodbye(reason)
        super().close()

    def _say_goodbye(self, reason: str) -> None:
        if self.five is not None and self.state == READY:
            self.write(v5.goodbye(reason, self.five.terms.maximum_packet))

    # What it asks for meanwhile.

    def _converse(self, head: int, body: bytes) -> None:
        """A packet other than PUBLISH, in 3.1.1. Raises Malformed."""
        if head == 0xC0 and not body:
            self.write(packets.PINGRESP)
        elif head in (0x82, 0xA2):
            packets.check_filters(body, with_qos=head == 0x82)
            self._control += 1
            if self._control > MAX_CONTROL:
                self.hold(CONTROL)
            self._to_broker(head, body)
        elif len(body) == 2 and head == 0x62:
            known = self._receipts is not None and self._receipts.release(body)
            done = PUBCOMP + body
            self.write(done if known or self.five is None else v5.refused(done, v5.NO_SUCH_ID))
        elif len(body) == 2 and head == 0x40:
            if self._awaited:
                self._awaited -= 1
                if self.five is not None:
                    self.five.window.leave()
                self._to_broker(head, body)
        elif head == 0xE0 and not body:
            self.close()
        else:
            raise Malformed("second_connect" if head == 0x10 else "packet_type")

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
        self.say(data)

    def say(self, data: bytes) -> None:
        """Send a packet of 3.1.1 in the version that is spoken here."""
        if self.five is not None:
            data = self.five.outward(data)
        if data:
            self.write(data)

    def fits(self, topic: str, payload: bytes) -> bool:
        """Whether the client takes a publish of this size."""
        return self.five is None or len(topic.encode()) + len(payload) + 10 <= self.five.terms.maximum_packet
