"""Unmodified paho with MQTT 3.1 and 3.1.1, and over WebSocket: it connects, publishes, is refused, and comes back."""

import socket
import threading
from typing import Any

import paho.mqtt.client as paho
import pytest

from tests.transports.mqtt.client import TELEMETRY
from tests.transports.mqtt.conftest import World
from tests.transports.mqtt.test_end_to_end import latest, platform
from tests.transports.mqtt.test_v5_clients import Client, with_client
from tests.transports.mqtt.test_websocket import WS
from thingsboard.transports.mqtt.listeners import layered

RPC = "v1/devices/me/rpc/request/+"
VERSIONS = pytest.mark.parametrize("version", [paho.MQTTv31, paho.MQTTv311], ids=["3.1", "3.1.1"])


def use(client: Client) -> None:
    """Everything a device does: every QoS is acknowledged, subscriptions are granted."""
    assert client.wait("connect") == [0]
    for qos in (0, 1, 2):
        client.paho.publish(TELEMETRY, f'{{"q{qos}":{qos}}}', qos)
    client.wait("publish", 3)
    client.paho.subscribe([(RPC, 1), ("#", 0)])
    assert client.wait("subscribe", 2) == [1, 0x80]
    unsubscribed = threading.Event()
    client.paho.on_unsubscribe = lambda *_: unsubscribed.set()
    client.paho.unsubscribe(RPC)
    assert unsubscribed.wait(5)
    client.paho.publish(TELEMETRY, '{"last":1}', 1).wait_for_publish(5)


@VERSIONS
async def test_paho_publishes_with_every_qos_and_subscribes(world: World, version: Any) -> None:
    async with platform() as server:
        await with_client(server.port, "ONE", use, protocol=version, client_id="boiler")
        assert await latest(world, "ONE") == {"q0": 0, "q1": 1, "q2": 2, "last": 1}


@VERSIONS
async def test_paho_is_told_that_its_token_is_wrong(world: World, version: Any) -> None:
    async with platform() as server:
        # 5, not authorized, which paho 2 reports as MQTT 5's 0x87.
        refused = await with_client(
            server.port, "NOBODY", lambda client: client.wait("connect"), protocol=version, client_id="boiler"
        )
        assert refused[0] == 0x87
        assert not server.devices


async def test_paho_comes_back_by_itself_after_its_connection_was_lost(world: World) -> None:
    def work(client: Client) -> None:
        assert client.wait("connect") == [0]
        client.paho.socket().shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        client.wait("disconnect")
        assert client.wait("connect", 2) == [0, 0]
        client.paho.publish(TELEMETRY, '{"back":1}', 1).wait_for_publish(5)

    async with platform() as server:
        await with_client(server.port, "ONE", work, protocol=paho.MQTTv311)
        assert await latest(world, "ONE") == {"back": 1}


@pytest.mark.parametrize("version", [paho.MQTTv311, paho.MQTTv5], ids=["3.1.1", "5"])
async def test_paho_publishes_over_a_websocket_and_is_refused_there(world: World, version: Any) -> None:
    def work(client: Client) -> None:
        assert client.wait("connect") == [0]
        client.paho.publish(TELEMETRY, '{"w":1}', 1).wait_for_publish(5)

    async with platform() as server:
        await server.listen(layered(WS), "127.0.0.1")
        port, more = server.ports["ws"], {"protocol": version, "transport": "websockets"}
        await with_client(port, "ONE", work, **more)
        refused = await with_client(port, "NOBODY", lambda client: client.wait("connect"), **more)
        assert refused[0] in (0x86, 0x87)
        assert await latest(world, "ONE") == {"w": 1}
