"""Who watches a device sees at once that it wakes up, is heard, and falls silent."""

import asyncio
from typing import Any

import pytest

from devices.models import Device
from devices.services import activity
from devices.services.activity import Report
from telemetry.store.connect import connect
from tests.cast import Cast
from tests.telemetry.live.screen import Screen, of, people, quick_web, screen
from tests.transports.mqtt.conftest import from_database
from thingsboard.kernel.time import now_ms

__all__ = ["people"]

WATCHED = {"type": "ATTRIBUTES", "cmdId": 1, "scope": "SERVER_SCOPE", "keys": "active,lastActivityTime"}


async def report(device: Device, ts: int) -> None:
    """As a transport does it."""

    def write() -> None:
        with connect("thingsboard test") as connection:
            activity.record(connection, [Report(device.pk, ts)])

    await asyncio.to_thread(write)


async def told(one: Screen) -> dict[str, str]:
    data = (await one.hear())["data"]
    return {key: points[-1][1] for key, points in data.items()}


async def test_activity_is_seen_live(people: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    device, now = people.device, now_ms()
    async with quick_web() as at, screen(at, people.alice) as one:
        first = await one.ask(**WATCHED, **of(device))
        assert first["data"]["active"][0][1] == "false"
        await report(device, now)
        assert await told(one) == {"active": "true", "lastActivityTime": str(now)}
        for ms in (5, 10, 15):  # a subscription that has just begun may have read one of them by itself
            await report(device, now + ms)
            assert await told(one) == {"lastActivityTime": str(now + ms)}
        await report(device, now + 1)  # late
        settings.TB_DEVICE_INACTIVITY_TIMEOUT = 0.001
        await from_database(activity.review)
        assert await told(one) == {"active": "false"}
