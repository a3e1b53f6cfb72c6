"""The demo's Raspberry Pi and DHT11: slow, plausible curves, one message each five seconds."""

import asyncio
import json
import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from . import client

log = logging.getLogger(__name__)

INTERVAL = 5.0  # seconds between two messages of a device
LONGEST_PAUSE = 30.0  # seconds between two attempts to connect
TOPIC = "v1/devices/me/telemetry"

Values = dict[str, float]


@dataclass(frozen=True)
class Device:
    """One simulated device: its access token and what it measures at a time (s since 1970)."""

    token: str
    measure: Callable[[float], Values]


def raspberry_pi(now: float) -> Values:
    """A small computer whose load comes and goes over ten minutes, and whose temperature follows."""
    load = 35 + 25 * math.sin(now / 600 * math.tau) + 8 * math.sin(now / 47 * math.tau) + _noise(3)
    load = min(100.0, max(1.0, load))
    return {"cpuTemperature": round(42 + 0.22 * load + _noise(0.3), 1), "cpuLoad": round(load, 1)}


def dht11(now: float) -> Values:
    """A room: warmest in the afternoon, with the heating's rhythm, and drier when it is warm."""
    day = math.sin((now % 86400 / 86400 - 0.375) * math.tau)
    temperature = 22 + 2.5 * day + 0.6 * math.sin(now / 1800 * math.tau) + _noise(0.1)
    return {"temperature": round(temperature, 1), "humidity": round(48 - 3 * (temperature - 22) + _noise(0.5), 1)}


DEVICES = (Device("RASPBERRY_PI_DEMO_TOKEN", raspberry_pi), Device("DHT11_DEMO_TOKEN", dht11))


async def run_all(host: str, port: int) -> None:
    """All devices, for ever."""
    async with asyncio.TaskGroup() as group:
        for device in DEVICES:
            group.create_task(run(device, host, port))


async def run(device: Device, host: str, port: int, interval: float = INTERVAL) -> None:
    """One device, for ever: whatever ends its connection, it comes back, more slowly each time it fails at once."""
    pause = 1.0
    while True:
        try:
            async with client.connected(host, port, device.token) as publisher:
                while True:
                    await publisher.publish(TOPIC, json.dumps(device.measure(time.time())).encode())
                    pause = 1.0
                    await asyncio.sleep(interval)
        except (OSError, EOFError, TimeoutError, client.Refused) as error:
            level = logging.INFO if pause > 2 else logging.DEBUG  # the broker starts together with us
            log.log(level, "Demo device %s: %s; again in %g s.", device.token, error or type(error).__name__, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def _noise(spread: float) -> float:
    return random.gauss(0, spread)
