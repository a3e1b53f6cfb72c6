"""All devices of a run: connect them, pace them, keep them connected, wait for the last acknowledgements."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence

from . import packets
from .device import Device, Identity, Ledger, Traffic
from .options import Options

TICK_S = 0.005  # one write a device and tick
DIALS_AT_ONCE = 100
ANSWER_TIMEOUT_S = 15.0  # from dialling to CONNACK
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.1, 2.0
FUTURE_MS = 29 * 86_400_000  # platforms accept time stamps up to 30 days ahead
LONGEST_RUN = packets.COUNTER_SPAN * 200  # messages a device, far beyond any run; a bound nevertheless


class Unreachable(Exception):
    """No connection at all could be made; the text says where to and why."""


class Fleet:
    """The devices of one run and their counts. All methods belong to one event loop."""

    def __init__(self, options: Options, identities: Sequence[Identity], base_ms: int) -> None:
        self.options = options
        self.traffic = Traffic(
            points=options.points,
            qos=options.qos,
            server_time=options.server_time,
            window=options.in_flight,
            step=options.step_ms,
        )
        self.traffic.lost = self._lost
        self.devices = [Device(identity, self.traffic, base_ms) for identity in identities]
        self.refusals: Counter[str] = Counter()
        self.broken = 0  # connections that ended without being asked to
        self.reconnects = 0
        self.given_up = 0  # devices that found no way back within the longest outage
        self.held_back = 0  # messages that were due but not sent: window full or no connection
        self.stopped = asyncio.Event()
        self._closing = False
        self._dialling = asyncio.Semaphore(DIALS_AT_ONCE)
        self._repairs: set[asyncio.Task[None]] = set()
        for device in self.devices:
            device.limit = min(LONGEST_RUN, FUTURE_MS // self.traffic.step)

    # -- counts

    @property
    def sent(self) -> int:
        """Messages sent, repetitions not counted."""
        return sum(device.sent for device in self.devices)

    @property
    def acknowledged(self) -> int:
        """Messages acknowledged."""
        return sum(device.acknowledged for device in self.devices)

    @property
    def unacknowledged(self) -> int:
        """Messages on their way."""
        return sum(device.unacknowledged for device in self.devices)

    def ledgers(self) -> list[Ledger]:
        """What each device sent and what was acknowledged."""
        return [device.ledger() for device in self.devices]

    # -- connecting

    async def connect(self, on_progress: Callable[[int], None]) -> None:
        """Connect every device. Raises Unreachable when the first finds nobody; refusals are counted, not raised.

        `on_progress` is called with the number of devices that have their answer.
        """
        await self._first_contact()
        done = 1
        on_progress(done)

        async def one(device: Device) -> None:
            nonlocal done
            await self._open(device, attempts=3)
            done += 1
            on_progress(done)

        await asyncio.gather(*(one(device) for device in self.devices[1:]))
        for device in self.devices:
            if device.refusal:
                reason = packets.REFUSALS.get(device.refusal, "unknown code")
                self.refusals[f"CONNACK {device.refusal} ({reason})"] += 1
            elif not device.connected:
                self.refusals["no answer to CONNECT"] += 1
        self._stop_without_devices()

    async def _first_contact(self) -> None:
        device, host, port = self.devices[0], self.options.mqtt_host, self.options.mqtt_port
        try:
            await self._dial(device)
        except TimeoutError:
            raise Unreachable(f"MQTT at {host}:{port}: no answer within {ANSWER_TIMEOUT_S:g} s.") from None
        except OSError as error:
            raise Unreachable(f"MQTT at {host}:{port}: cannot connect ({error.strerror or error}).") from None

    async def _dial(self, device: Device) -> bool:
        """One attempt. True when the CONNECT was accepted. Raises OSError or TimeoutError."""
        loop = asyncio.get_running_loop()
        async with self._dialling:
            answer = device.expect_answer(loop)
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await loop.create_connection(lambda: device, self.options.mqtt_host, self.options.mqtt_port)
                    return await answer
            except (OSError, TimeoutError):
                device.opened = None
                device.abort()
                raise

    async def _open(self, device: Device, attempts: int) -> bool:
        """A few attempts at a full backlog; a refusal is final."""
        for attempt in range(attempts):
            if attempt:
                await asyncio.sleep(FIRST_BACKOFF_S * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311
            try:
                if await self._dial(device):
                    return True
            except (OSError, TimeoutError):
                continue
            if device.refusal:
                return False
        return False

    # -- broken connections

    def _lost(self, device: Device) -> None:
        if self._closing or device.refusal:
            return
        self.broken += 1
        if self.options.reconnect:
            task = asyncio.get_running_loop().create_task(self._repair(device))
            self._repairs.add(task)
            task.add_done_callback(self._repairs.discard)
        else:
            self.given_up += 1
            self._stop_without_devices()

    async def _repair(self, device: Device) -> None:
        """Reconnect with back-off until the longest outage is over; the device repeats what is unacknowledged."""
        deadline = time.monotonic() + self.options.max_outage
        backoff = FIRST_BACKOFF_S
        while not self._closing and time.monotonic() < deadline:
            await asyncio.sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311
            backoff = min(backoff * 2, LONGEST_BACKOFF_S)
            if await self._open(device, attempts=1):
                self.reconnects += 1
                return
        if not self._closing:
            self.given_up += 1
            self._stop_without_devices()

    def _stop_without_devices(self) -> None:
        if self.given_up + sum(self.refusals.values()) >= len(self.devices):
            self.stopped.set()

    # -- sending

    async def send(self) -> float:
        """Send for the duration asked for, or until `stopped` is set; returns how many seconds it was."""
        start = time.perf_counter()
        deadline = start + self.options.duration
        if self.options.rate:
            await self._paced(start, deadline)
        else:
            await self._greedy(deadline)
        return time.perf_counter() - start

    async def _paced(self, start: float, deadline: float) -> None:
        """Message i is due at i / rate and belongs to device i modulo devices, so the load is spread evenly in time."""
        rate, devices = self.options.rate, self.devices
        order, number, done = devices * 2, len(devices), 0
        last = int(rate * self.options.duration)
        while not self.stopped.is_set():
            now = time.perf_counter()
            due = min(int((now - start) * rate), last)
            each, rest = divmod(due - done, number)
            first = done % number
            done = due
            sent = 0
            for device in order[first : first + rest]:
                sent += device.send(each + 1)
            if each:
                for device in order[first + rest : first + number]:
                    sent += device.send(each)
            self.held_back += each * number + rest - sent
            if now >= deadline:
                return
            await self._pause(max(TICK_S, min(start + (done + 1) / rate, deadline) - now))

    async def _greedy(self, deadline: float) -> None:
        """Every acknowledgement makes room for the next message; without acknowledgements (QoS 0) a tick does."""
        for device in self.devices:
            device.greedy = True
            device.send(self.traffic.window)
        while not self.stopped.is_set() and time.perf_counter() < deadline:
            if self.options.qos:
                await self._pause(max(0.0, deadline - time.perf_counter()))
            else:
                for device in self.devices:
                    device.send(self.traffic.window)
                await self._pause(TICK_S)
        for device in self.devices:
            device.greedy = False

    async def _pause(self, seconds: float) -> None:
        """Sleep; long sleeps end when `stopped` is set."""
        if seconds < 0.05:
            await asyncio.sleep(seconds)
            return
        try:
            async with asyncio.timeout(seconds):
                await self.stopped.wait()
        except TimeoutError:
            pass

    async def drain(self, seconds: float) -> None:
        """Wait until everything is acknowledged, at most `seconds`, or until no device is left that could be."""
        deadline = time.monotonic() + seconds
        # Polled: an event would cost the hot path a check with every acknowledgement.
        while self.unacknowledged and time.monotonic() < deadline and self.given_up < len(self.devices):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Disconnect every device and end what still tries to reconnect."""
        self._closing = True
        for task in list(self._repairs):
            task.cancel()
        await asyncio.gather(*self._repairs, return_exceptions=True)
        for device in self.devices:
            device.close()
        deadline = time.monotonic() + 2.0  # what was written still leaves; a server that does not read is cut
        while any(device.connected for device in self.devices) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for device in self.devices:
            device.abort()
        await asyncio.sleep(0)
