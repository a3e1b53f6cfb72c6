"""One simulated device: its connection, its window of unacknowledged messages, what it sent and what was acknowledged.

The messages of a device are numbered 0, 1, 2, ...; number n carries the time stamp base + n * step, so what was sent
and what was acknowledged needs no memory a message. Message n lives in slot n modulo window; its packet id is slot + 1.
"""

import asyncio
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from . import packets
from .latency import Latencies


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a device is: its name, its access token, and its id where the platform told it."""

    name: str
    token: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What one device sent: messages 0 to `sent` - 1, and which were acknowledged, as ranges [first, last] of numbers.

    Message n carries the time stamp `base` + n * `step` (ms).
    """

    name: str
    device_id: str
    base: int
    step: int
    sent: int
    acknowledged: tuple[tuple[int, int], ...]

    @property
    def acknowledged_count(self) -> int:
        """How many messages were acknowledged."""
        return sum(last - first + 1 for first, last in self.acknowledged)


class Traffic:
    """What all devices of a run share: packet formats, window, latencies, and who hears of a lost connection."""

    __slots__ = ("acks", "again", "first", "ids", "latencies", "lost", "qos", "server_time", "step", "window")

    def __init__(self, *, points: int, qos: int, server_time: bool, window: int, step: int) -> None:
        self.qos, self.server_time, self.window, self.step = qos, server_time, window, step
        self.first = packets.publish_format(points=points, qos=qos, server_time=server_time)
        self.again = packets.publish_format(points=points, qos=qos, server_time=server_time, again=True)
        self.ids = packets.packet_ids(window) if qos else [b""] * window
        self.acks = packets.expected_acks(window)
        self.latencies = Latencies()
        self.lost: Callable[[Device], None] = lambda device: None


class Device(asyncio.Protocol):
    """The device and its present connection; after `connection_lost` it may be connected anew."""

    __slots__ = (
        "_ahead", "_low", "_next", "_sent_at", "_tail", "_traffic", "_transport", "base", "greedy", "identity",
        "limit", "opened", "ready", "refusal", "strays",
    )  # fmt: skip

    def __init__(self, identity: Identity, traffic: Traffic, base: int) -> None:
        self.identity = identity
        self.base = base
        self.greedy = False  # sends again as soon as something is acknowledged
        self.ready = False  # connected, accepted, and the socket takes more
        self.refusal = 0  # the CONNACK's code when it was not 0
        self.strays = 0  # acknowledgements of nothing that was on its way
        self.limit = 2**62  # the number of messages after which it falls silent
        self.opened: asyncio.Future[bool] | None = None
        self._traffic = traffic
        self._transport: asyncio.Transport | None = None
        self._low = 0  # everything below is acknowledged
        self._next = 0  # everything below was sent
        self._ahead = 0  # acknowledged out of turn, at or above _low
        self._sent_at = array("d", bytes(8 * traffic.window))  # by slot; 0.0 = acknowledged out of turn
        self._tail = b""

    @property
    def sent(self) -> int:
        """How many messages it sent, repetitions not counted."""
        return self._next

    @property
    def acknowledged(self) -> int:
        """How many of them were acknowledged (QoS 1)."""
        return self._low + self._ahead if self._traffic.qos else 0

    @property
    def unacknowledged(self) -> int:
        """How many messages are on their way."""
        return self._next - self._low - self._ahead

    @property
    def connected(self) -> bool:
        """Whether there is a connection that was accepted."""
        return self._transport is not None and self.opened is None and not self.refusal

    # -- connection

    def expect_answer(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[bool]:
        """Call before connecting: the future of the CONNACK; True = accepted, False = refused or lost."""
        self.refusal = 0
        self.opened = loop.create_future()
        return self.opened

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce itself."""
        self._transport = cast(asyncio.Transport, transport)
        self._tail = b""
        client_id = self.identity.name.replace(" ", "-")
        self._transport.write(packets.connect(client_id, self.identity.token))

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember nothing of the connection, and everything that was not acknowledged."""
        self._transport = None
        self.ready = False
        if self.opened is not None:
            self._answer(False)
        else:
            self._traffic.lost(self)

    def pause_writing(self) -> None:
        """The server does not read: send nothing more."""
        self.ready = False

    def resume_writing(self) -> None:
        """The server reads again."""
        self.ready = self.connected
        if self.greedy:
            self.send(self._traffic.window)

    def close(self) -> None:
        """Say goodbye and close; without `lost` being told."""
        if self._transport is not None:
            self._transport.write(packets.DISCONNECT)
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _answer(self, accepted: bool) -> None:
        waiting, self.opened = self.opened, None
        if waiting is not None and not waiting.done():
            waiting.set_result(accepted)

    # -- sending

    def send(self, count: int) -> int:
        """Send up to `count` new messages in one write; returns how many window, limit and socket allowed."""
        transport, traffic, number = self._transport, self._traffic, self._next
        room = min(traffic.window - number + self._low, self.limit - number)
        if count > room:
            count = room
        if count <= 0 or transport is None or not self.ready:
            return 0
        self._next = number + count
        if count == 1:
            transport.write(self._packet(traffic.first, number))
        else:
            transport.write(b"".join([self._packet(traffic.first, n) for n in range(number, number + count)]))
        if traffic.qos:
            now, window, sent_at = time.perf_counter(), traffic.window, self._sent_at
            for n in range(number, number + count):
                sent_at[n % window] = now
        else:
            self._low = self._next
        return count

    def _packet(self, form: bytes, number: int) -> bytes:
        traffic = self._traffic
        packet_id = traffic.ids[number % traffic.window]
        counter = packets.COUNTER_FIRST + number % packets.COUNTER_SPAN
        if traffic.server_time:
            return form % (packet_id, counter)
        return form % (packet_id, self.base + number * traffic.step, counter)

    def _resend(self) -> None:
        """On a new connection: repeat what was not acknowledged, in order. Latency counts from the first time."""
        window, again = self._traffic.window, self._traffic.again
        waiting = [n for n in range(self._low, self._next) if self._sent_at[n % window]]
        if waiting and self._transport is not None:
            self._transport.write(b"".join([self._packet(again, n) for n in waiting]))

    # -- receiving

    def data_received(self, data: bytes) -> None:
        """Take acknowledgements; nearly always they are the next ones in order, so the whole read is one comparison."""
        low, traffic, size = self._low, self._traffic, len(data)
        start = low % traffic.window * 4
        count = size >> 2
        if (
            data != traffic.acks[start : start + size]
            or size & 3
            or count > self._next - low
            or self._ahead
            or self._tail
        ):
            self._receive(data)
        else:
            now, sent_at, window = time.perf_counter(), self._sent_at, traffic.window
            add = traffic.latencies.add
            if sent_at[low % window] == sent_at[(low + count - 1) % window]:
                add(now - sent_at[low % window], count)  # sent in one write
            else:
                for n in range(low, low + count):
                    add(now - sent_at[n % window])
            self._low = low + count
        if self.greedy:
            self.send(traffic.window)

    def _receive(self, data: bytes) -> None:
        """Any packets, whole or not, in any order."""
        data, self._tail = self._tail + data, b""
        position, size = 0, len(data)
        while size - position >= 2:
            end = position + 2 + data[position + 1]
            if data[position + 1] & 0x80:
                return self.abort()  # nothing that long was asked for
            if end > size:
                break
            kind = data[position] & 0xF0
            if kind == packets.PUBACK and end - position >= 4:
                self._acknowledge(data[position + 2] << 8 | data[position + 3])
            elif kind == packets.CONNACK and end - position >= 4 and self.opened is not None:
                self._on_connack(data[position + 3])
            position = end
        self._tail = data[position:]
        return None

    def _on_connack(self, code: int) -> None:
        self.refusal = code
        self._answer(code == 0)
        if code:
            self.abort()
        else:
            self.ready = True
            self._resend()

    def _acknowledge(self, packet_id: int) -> None:
        """One acknowledgement that may be out of turn."""
        window, sent_at = self._traffic.window, self._sent_at
        slot = packet_id - 1
        number = self._low + (slot - self._low) % window
        if not 0 <= slot < window or number >= self._next or not sent_at[slot]:
            self.strays += 1
            return
        self._traffic.latencies.add(time.perf_counter() - sent_at[slot])
        sent_at[slot] = 0.0
        self._ahead += 1
        while self._ahead and not sent_at[self._low % window]:
            self._low += 1
            self._ahead -= 1

    # -- the account

    def ledger(self) -> Ledger:
        """What it sent and what was acknowledged, so far."""
        ranges: list[tuple[int, int]] = [(0, self._low - 1)] if self._low and self._traffic.qos else []
        if self._ahead:
            window = self._traffic.window
            for n in range(self._low, self._next):
                if not self._sent_at[n % window]:
                    if ranges and ranges[-1][1] == n - 1:
                        ranges[-1] = (ranges[-1][0], n)
                    else:
                        ranges.append((n, n))
        return Ledger(self.identity.name, self.identity.id, self.base, self._traffic.step, self._next, tuple(ranges))
