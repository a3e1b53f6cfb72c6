"""One connection that speaks MQTT 5: what is remembered to translate its packets into 3.1.1 and back."""

import asyncio
from collections import deque

from thingsboard.transports.mqtt import packets, v5
from thingsboard.transports.mqtt.packets import Malformed

# Topic aliases a client may set. There are not many topics, and each alias costs memory.
MAX_ALIASES = 16

# Property sections of publishes (with their length byte) that were read and found good, and the topic alias in each, 0 for
# none. A device sends the same ones again and again; so many are remembered, of all devices together.
MAX_LEARNED = 1024
learned: dict[bytes, int] = {}


class Window:
    """The client's Receive Maximum: so many QoS 1 publishes may wait for its PUBACK. First come, first served.

    A place is taken until the PUBACK comes, however late: for the client the publish is open until then.
    """

    __slots__ = ("_closed", "_free", "_waiting")

    def __init__(self, places: int) -> None:
        self._free = places
        self._closed = False
        self._waiting: deque[asyncio.Future[bool]] = deque()

    async def enter(self, patience: float) -> bool:
        """Take a place, waiting for one; False when there is none within `patience` seconds, or the connection ended."""
        if self._free and not self._waiting:
            self._free -= 1
            return True
        if self._closed:
            return False
        place: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(place)
        except (TimeoutError, asyncio.CancelledError) as error:
            if place.done():
                if place.result():
                    self.leave()
            else:
                self._waiting.remove(place)
            if isinstance(error, TimeoutError):
                return False
            raise

    def leave(self) -> None:
        """Give a place back, to who waits for one."""
        if self._waiting:
            self._waiting.popleft().set_result(True)
        else:
            self._free += 1

    def close(self) -> None:
        """The connection ended: nobody waits any longer."""
        self._closed, self._free = True, 0
        while self._waiting:
            self._waiting.popleft().set_result(False)


class Dialect:
    """Translates between MQTT 5 outside and 3.1.1 inside."""

    __slots__ = ("_aliases", "_asked", "_granted", "outstanding", "terms", "window")

    def __init__(self, terms: v5.Terms) -> None:
        self.terms = terms
        self.outstanding = 0  # publishes of QoS 1 and 2 whose first answer is still due
        self._aliases: dict[int, bytes] = {}
        self._asked: dict[bytes, list[str]] = {}  # the filters of SUBSCRIBE and UNSUBSCRIBE, by type and packet id
        self._granted: set[str] = set()
        self.window = Window(terms.receive_maximum)

    def overrun(self, messages: int, limit: int) -> bool:
        """Count publishes that want an answer; whether more of them are open than CONNACK allowed."""
        self.outstanding += messages
        return self.outstanding > limit

    def inward(self, head: int, body: bytes) -> bytes:
        """The body of a packet from the client, in 3.1.1. Raises Malformed."""
        if head & 0xF0 == 0x30:
            return self._publish(head >> 1 & 3, body)
        if head == 0x82:
            return self._ask(head, v5.plain_subscribe(body))
        if head == 0xA2:
            return self._ask(head, v5.plain_unsubscribe(body))
        if head in (0x40, 0x62):
            return v5.plain_answer(body)
        if head == 0xE0:
            v5.check_disconnect(body, self.terms.session_expiry)
            return b""
        if head == 0xF0:
            raise Malformed("auth")
        return body

    def familiar(self, head: int, body: bytes) -> tuple[bytes, bytes, bytes] | None:
        """Topic, packet id and payload of a publish of QoS 0 or 1 whose properties are known to be good; None: read it."""
        if len(body) < 3:
            return None
        named = 2 + (body[0] << 8 | body[1])
        at = named + (head & 2)
        if at >= len(body):
            return None
        end = at + 1 + body[at]
        alias = learned.get(body[at:end])
        if alias is None:
            return None
        topic = body[2:named]
        if alias and not topic:
            topic = self._aliases.get(alias, b"")
        elif alias:
            self._aliases[alias] = topic
        return (topic, body[named:at], body[end:]) if topic else None

    def _publish(self, qos: int, body: bytes) -> bytes:
        topic, packet_id, alias, payload = v5.parse_publish(body, qos)
        section = body[2 + (body[0] << 8 | body[1]) + len(packet_id) : len(body) - len(payload)]
        if len(section) <= 128 and alias <= MAX_ALIASES:  # its length is one byte
            if len(learned) >= MAX_LEARNED:
                learned.clear()
            learned[section] = alias
        if alias:
            if alias > MAX_ALIASES:
                raise Malformed("topic_alias")
            if topic:
                self._aliases[alias] = topic
            else:
                topic = self._aliases.get(alias, b"")
        if not topic:
            raise Malformed("topic_alias" if alias else "protocol")
        return len(topic).to_bytes(2, "big") + topic + packet_id + payload

    def _ask(self, head: int, plain: bytes) -> bytes:
        """Remember the filters until amqtt answers; the front has bounded how many questions are open."""
        packets.check_filters(plain, with_qos=head == 0x82)
        question = bytes((head & 0xF0,)) + plain[:2]
        if question in self._asked:
            raise Malformed("packet_id")
        self._asked[question] = v5.filters_of(plain, with_qos=head == 0x82)
        return plain

    def outward(self, plain: bytes) -> bytes:
        """A packet for the client in its own words; b"" when it is larger than the client takes."""
        kind = plain[0] & 0xF0
        if kind == 0x30:
            said = v5.publish(plain)
            return said if len(said) <= self.terms.maximum_packet else b""
        if kind == 0x90:
            return self._subscribed(plain)
        if kind == 0xB0:
            return self._unsubscribed(plain)
        return plain

    def _subscribed(self, plain: bytes) -> bytes:
        said = v5.suback(plain)
        filters = self._asked.pop(b"\x80" + plain[2:4], [])
        codes = said[-len(filters) :] if filters else b""
        self._granted.update(each for each, code in zip(filters, codes, strict=False) if code < 0x80)
        return said

    def _unsubscribed(self, plain: bytes) -> bytes:
        codes = bytearray()
        for each in self._asked.pop(b"\xa0" + plain[2:4], []):
            codes.append(v5.SUCCESS if each in self._granted else v5.NO_SUBSCRIPTION)
            self._granted.discard(each)
        return packets.packet(0xB0, plain[2:4] + b"\0" + bytes(codes))

    def refused(self, ack: bytes, code: int, why: str) -> bytes:
        """PUBACK or PUBREC of a refused message, with the sentence if the client wants it and can take it."""
        said = v5.refused(ack, code, why if self.terms.problem_information else "")
        return said if len(said) <= self.terms.maximum_packet else v5.refused(ack, code)
