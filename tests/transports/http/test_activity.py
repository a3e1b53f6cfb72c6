"""A device over HTTP is active, but it never connects nor disconnects."""

from tests.transports.activity import MINUTES, Observer, observer
from tests.transports.http.conftest import serving, world
from thingsboard.kernel.time import now_ms

__all__ = ["observer", "world"]


async def test_a_message_and_a_read_over_http_are_activity_without_a_session(observer: Observer) -> None:
    async with serving() as door:
        assert (await door.post("ONE/telemetry", '{"a":1}')).status_code == 200
        found = await observer.until("ONE", lambda found: found.get("active"))
        assert found.keys() == {"active", "lastActivityTime"}
        observer.pass_time(11 * MINUTES)
        await observer.review()
        assert (await observer.attributes("ONE"))["active"] is False
        read = now_ms()
        assert (await door.get("ONE/attributes")).status_code == 200
        found = await observer.until("ONE", lambda found: found["active"])
        assert read <= found["lastActivityTime"] <= now_ms()


async def test_the_last_activity_is_written_when_the_application_closes(observer: Observer) -> None:
    async with serving() as door:
        assert (await door.post("ONE/telemetry", '{"a":1}')).status_code == 200
    assert (await observer.attributes("ONE"))["active"] is True


async def test_who_is_nobody_is_not_active(observer: Observer) -> None:
    async with serving() as door:
        assert (await door.post("NOBODY/telemetry", '{"a":1}')).status_code == 401
    assert await observer.attributes("ONE") == {}
