"""Unmodified MQTT 5 clients: they connect, publish, subscribe, and are told what is wrong."""

import asyncio
import shutil
import threading
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.transports.mqtt.client import TELEMETRY
from tests.transports.mqtt.conftest import World
from tests.transports.mqtt.test_end_to_end import latest, platform

PUB = shutil.which("mosquitto_pub")


class Client:
    """paho, with MQTT 5 unless told otherwise; what its callbacks report is kept in `codes`, in order."""

    def __init__(
        self, port: int, token: str, protocol: Any = paho.MQTTv5, transport: Any = "tcp", client_id: str = ""
    ) -> None:
        self.codes: list[tuple[str, int]] = []
        self.heard = threading.Condition()
        self.properties: Any = None
        self.paho = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=protocol, transport=transport, reconnect_on_failure=True
        )
        self.paho.reconnect_delay_set(1, 1)
        self.paho.username_pw_set(token)
        self.paho.on_connect = self._on_connect
        self.paho.on_publish = lambda _c, _u, _mid, code, _p: self._hear("publish", code)
        self.paho.on_subscribe = lambda _c, _u, _mid, codes, _p: [self._hear("subscribe", code) for code in codes]
        self.paho.on_unsubscribe = lambda _c, _u, _mid, codes, _p: [self._hear("unsubscribe", code) for code in codes]
        self.paho.on_disconnect = lambda _c, _u, _f, code, _p: self._hear("disconnect", code)
        self.paho.connect("127.0.0.1", port)
        self.paho.loop_start()

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: Any, properties: Any) -> None:
        self.properties = properties
        self._hear("connect", code)

    def _hear(self, event: str, code: Any) -> None:
        with self.heard:
            self.codes.append((event, code.value))
            self.heard.notify_all()

    def wait(self, event: str, number: int = 1) -> list[int]:
        """The codes of this event, once there are `number` of them."""
        with self.heard:
            assert self.heard.wait_for(lambda: len(self._of(event)) >= number, 5), self.codes
            return self._of(event)

    def _of(self, event: str) -> list[int]:
        return [code for each, code in self.codes if each == event]

    def end(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()


async def with_client(port: int, token: str, work: Callable[[Client], Any], **more: Any) -> Any:
    """What `work` returns; it runs in a thread beside the server's loop."""

    def run() -> Any:
        client = Client(port, token, **more)
        try:
            return work(client)
        finally:
            client.end()

    return await asyncio.to_thread(run)


async def test_paho_publishes_with_every_qos_and_reads_every_reason_code(world: World) -> None:
    def work(client: Client) -> None:
        assert client.wait("connect") == [0]
        assert client.properties.MaximumPacketSize == 65536
        assert client.properties.ReceiveMaximum == 750
        assert client.properties.AssignedClientIdentifier
        for qos in (0, 1, 2):
            client.paho.publish(TELEMETRY, f'{{"q{qos}":{qos}}}', qos)
        assert client.wait("publish", 3) == [0, 0, 0]
        client.paho.publish(TELEMETRY, '{"a":', 1)
        client.paho.publish("home/kitchen", "{}", 1)
        client.paho.publish(TELEMETRY, "[1]", 2)  # paho releases what PUBREC refused: there is no such id
        assert sorted(client.wait("publish", 6)[3:]) == [0x90, 0x92, 0x99]
        client.paho.subscribe(
            [("v1/devices/me/rpc/request/+", paho.SubscribeOptions(2)), ("#", paho.SubscribeOptions(0))]
        )
        assert client.wait("subscribe", 2) == [1, 0x8F]
        client.paho.unsubscribe(["v1/devices/me/rpc/request/+", "#"])
        assert client.wait("unsubscribe", 2) == [0, 0x11]
        client.paho.publish(TELEMETRY, '{"last":1}', 1).wait_for_publish(5)

    async with platform() as server:
        await with_client(server.port, "ONE", work)
        assert await latest(world, "ONE") == {"q0": 0, "q1": 1, "q2": 2, "last": 1}


async def test_paho_is_told_that_its_token_is_wrong_and_that_it_was_taken_over(world: World) -> None:
    async with platform() as server:
        assert await with_client(server.port, "NOBODY", lambda client: client.wait("connect")) == [0x86]

        def work(older: Client) -> list[int]:
            older.wait("connect")
            newer = Client(server.port, "ONE")
            try:
                newer.wait("connect")
                return older.wait("disconnect")
            finally:
                newer.end()

        assert (await with_client(server.port, "ONE", work))[0] == 0x8E


async def test_a_key_too_many_is_a_quota_that_is_used_up(world: World, settings: Any) -> None:
    settings.TB_MAX_KEYS_PER_TENANT = 2

    def work(client: Client) -> list[int]:
        client.wait("connect")
        for payload in ('{"a":1,"b":2}', '{"c":3}', '{"a":4}'):
            client.paho.publish(TELEMETRY, payload, 1).wait_for_publish(5)
        return client.wait("publish", 3)

    async with platform() as server:
        assert await with_client(server.port, "ONE", work) == [0, 0x97, 0]
        assert await latest(world, "ONE") == {"a": 4, "b": 2}


@pytest.mark.skipif(PUB is None, reason="mosquitto_pub is not installed")
async def test_mosquitto_pub_publishes_and_shows_refusals(world: World) -> None:
    async def publish(port: int, token: str, *more: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            str(PUB), "-V", "5", "-h", "127.0.0.1", "-p", str(port), "-u", token, *more,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(10):
            said, _ = await process.communicate()
        return process.returncode, said.decode()

    async with platform() as server:
        properties = ("-D", "publish", "topic-alias", "3", "-D", "publish", "user-property", "a", "b")
        for qos in ("0", "1", "2"):
            one = ("-t", TELEMETRY, "-q", qos, "-m", f'{{"q{qos}":1}}')
            assert await publish(server.port, "ONE", *one) == (0, "")
            assert await publish(server.port, "ONE", *one, *properties) == (0, "")
        code, said = await publish(server.port, "NOBODY", "-t", TELEMETRY, "-q", "1", "-m", "{}")
        assert code
        assert "Bad username or password" in said or "Bad User Name or Password" in said, said
        _, said = await publish(server.port, "ONE", "-t", TELEMETRY, "-q", "1", "-m", "{")
        assert "failed" in said, said
        async with asyncio.timeout(5):
            while await latest(world, "ONE") != {"q0": 1, "q1": 1, "q2": 1}:
                await asyncio.sleep(0.01)
