"""What is known of a device's activity when the mqtt process ends, in good order and by kill -9."""

import signal

import pytest

from tests.transports.activity import Observer, observer
from tests.transports.mqtt.client import Device
from tests.transports.mqtt.test_runmqtt import free_port, running
from thingsboard.kernel.time import now_ms

__all__ = ["observer"]


async def test_what_was_written_survives_a_kill_and_a_stop_ends_the_sessions(
    observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TB_ACTIVITY_REPORT_SECONDS", "0.1")
    port = free_port()
    async with running(port) as process:
        await Device.enter(port, "ONE")
        before = await observer.until("ONE", lambda found: found.get("active"))
        process.kill()
        await process.wait()
    assert await observer.attributes("ONE") == before
    assert "lastDisconnectTime" not in before

    monkeypatch.setenv("TB_ACTIVITY_REPORT_SECONDS", "3600")
    async with running(port) as process:
        entered = now_ms()
        await Device.enter(port, "ONE")
        assert await observer.attributes("ONE") == before, "nothing is reported before its time"
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    after = await observer.attributes("ONE")
    assert entered <= after["lastConnectTime"] <= after["lastDisconnectTime"] <= now_ms()
