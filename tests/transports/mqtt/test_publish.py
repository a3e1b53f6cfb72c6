"""What a device publishes is committed, then acknowledged."""

from tests.transports.mqtt.client import Device, puback, publish
from tests.transports.mqtt.conftest import World, serving


async def test_a_publish_is_acknowledged_only_after_its_commit(world: World) -> None:
    async with serving() as front:
        device = await Device.enter(front.port, "ONE")
        front.ingest.sink.release.clear()
        device.send(publish(b'{"a":1}', 7))
        assert await device.silent()
        front.ingest.sink.release.set()
        assert await device.receive() == puback(7)
        assert front.ingest.payloads == [b'{"a":1}']
        await device.leave()
