"""Mqtt: to a real broker (amqtt) on loopback, and to the platform's own listener, which speaks MQTT 3.1, 3.1.1 and 5."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from amqtt.broker import Broker
from amqtt.client import MQTTClient

from rules.node import TryAgain
from rules.nodes.external.mqtt import Mqtt
from tests.rules.nodes.context import message
from tests.rules.nodes.external.authority import Authority
from tests.rules.nodes.outside import LocalOutside, outside_node, performed
from tests.rules.nodes.running import failed, made
from tests.transports.mqtt.conftest import World, serving, world
from thingsboard.kernel.outgoing import Guard

__all__ = ["world"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@asynccontextmanager
async def broker(port: int = 0, **listener: Any) -> AsyncIterator[int]:
    """A broker that lets everybody in; the port it listens on."""
    port = port or free_port()
    running = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 100, **listener}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await running.start()
    try:
        yield port
    finally:
        await running.shutdown()


@asynccontextmanager
async def subscriber(port: int, topic: str = "#", scheme: str = "mqtt") -> AsyncIterator[MQTTClient]:
    client = MQTTClient(config={"auto_reconnect": False})
    await client.connect(f"{scheme}://127.0.0.1:{port}/")
    await client.subscribe([(topic, 1)])
    try:
        yield client
    finally:
        await client.disconnect()


async def heard(client: MQTTClient) -> tuple[str, bytes, bool]:
    """Topic, payload and whether it was retained."""
    arrived = await client.deliver_message(timeout_duration=5)
    assert arrived is not None and arrived.publish_packet is not None
    return arrived.topic, bytes(arrived.data), arrived.publish_packet.retain_flag


def node(port: int, **configuration: Any) -> Any:
    return outside_node(Mqtt, **{"host": "127.0.0.1", "port": port, **configuration})


async def test_messages_are_published_under_the_topic_that_they_say(outside: LocalOutside) -> None:
    async with broker() as port, subscriber(port) as client:
        publish = node(port, topicPattern="site/${place}/$[what]")
        outcome = await performed(publish, outside, message({"what": "t", "v": 21.5}, place="a"))
        assert (outcome.relation, outcome.msg.metadata) == ("Success", {"place": "a"})
        assert await heard(client) == ("site/a/t", b'{"what":"t","v":21.5}', False)


@pytest.mark.parametrize(("plain", "sent"), [(True, "ä b".encode()), (False, b'"\\u00e4 b"')])
async def test_text_is_sent_with_its_quotes_or_without(outside: LocalOutside, plain: bool, sent: bytes) -> None:
    async with broker() as port, subscriber(port) as client:
        await performed(node(port, parseToPlainText=plain), outside, message(raw=b'"\\u00e4 b"'))
        assert await heard(client) == ("my-topic", sent, False)


async def test_a_body_that_is_no_text_at_all_arrives_as_it_is(outside: LocalOutside) -> None:
    async with broker() as port, subscriber(port) as client:
        await performed(node(port, parseToPlainText=True), outside, message(raw=b'"\xff\x00"'))
        assert (await heard(client))[1] == b'"\xff\x00"'


async def test_a_retained_message_is_there_for_who_comes_later(outside: LocalOutside) -> None:
    async with broker() as port:
        await performed(node(port, retainedMessage=True), outside, message({"v": 1}))
        async with subscriber(port) as client:
            assert await heard(client) == ("my-topic", b'{"v":1}', True)


async def test_one_connection_serves_many_messages_at_once(outside: LocalOutside) -> None:
    async with broker() as port, subscriber(port) as client:
        publish = node(port)
        outcomes = await asyncio.gather(*(performed(publish, outside, message({"n": n})) for n in range(100)))
        assert {outcome.relation for outcome in outcomes} == {"Success"} and outside.opened == 1
        assert len({(await heard(client))[1] for _ in range(100)}) == 100


async def test_a_broker_that_went_away_is_found_again(outside: LocalOutside) -> None:
    async with broker() as port:
        publish = node(port)
        assert (await performed(publish, outside, message({}))).relation == "Success"
    with pytest.raises(TryAgain):  # the connection that is known is dead
        await performed(publish, outside, message({}))
    with pytest.raises(TryAgain, match="cannot be reached"):
        await performed(publish, outside, message({}))
    assert outside.clients == {}
    async with broker(port):
        assert (await performed(publish, outside, message({}))).relation == "Success"


async def test_a_broker_that_says_nothing_is_not_waited_for_longer_than_configured(outside: LocalOutside) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        publish = node(silent.getsockname()[1], connectTimeoutSec=1)
        with pytest.raises(TryAgain, match="did not answer within 1 s"):
            await performed(publish, outside, message({}))


async def test_a_broker_that_is_not_permitted_is_not_asked() -> None:
    async with LocalOutside(Guard()) as outside:
        assert "is not permitted" in failed(await performed(node(1883), outside, message({})))


@pytest.mark.parametrize("topic", ["", "a/#", "a/+/b", "a\0b", "x" * 65_536])
def test_a_topic_that_is_none_fails_before_anything_waits(topic: str) -> None:
    with pytest.raises(ValueError, match="is not a topic"):
        node(1883, topicPattern="${t}").destination(message({}, t=topic))


def test_a_publication_can_be_looked_at_without_its_secrets() -> None:
    credentials = {"type": "basic", "username": "ann", "password": "hidden"}
    publish = node(1883, ssl=True, credentials=credentials, topicPattern="t/$[v]")
    assert publish.preview(message({"v": 1})) == {
        "broker": "mqtts://127.0.0.1:1883",
        "topic": "t/1",
        "qos": 1,
        "retain": False,
        "payload": '{"v":1}',
        "credentials": {"type": "basic", "username": "ann"},
    }
    with pytest.raises(ValueError, match="names no host of the MQTT broker"):
        made(Mqtt, Mqtt.defaults()).destination(message({}))  # type: ignore[attr-defined]


class TestTls:
    @pytest.fixture
    async def port(self, authority: Authority, tmp_path: Path) -> AsyncIterator[int]:
        """Of a broker that wants certificates."""
        leaf = authority.leaf("factory.example", "127.0.0.1")
        for name, text in {"cert": leaf.certificate, "key": leaf.key, "ca": authority.pem}.items():
            (tmp_path / f"{name}.pem").write_text(text)
        files = {f"{name}file": str(tmp_path / f"{name}.pem") for name in ("cert", "key", "ca")}
        async with broker(ssl=True, **files) as port:
            yield port

    async def test_the_broker_is_checked_by_its_name_though_its_address_is_connected_to(
        self, authority: Authority, port: int
    ) -> None:
        async def resolver(host: str, port: int) -> list[str]:
            return ["127.0.0.1"]

        leaf = authority.leaf("a device", password="sesame")
        shown = {"cert": leaf.certificate, "privateKey": leaf.key, "password": "sesame"}
        credentials = {"type": "cert.PEM", "caCert": authority.pem, **shown}
        async with LocalOutside(Guard(allowed=["127.0.0.1"], resolver=resolver)) as outside:
            good = node(port, host="factory.example", ssl=True, credentials=credentials)
            assert (await performed(good, outside, message({}))).relation == "Success"
            other = node(port, host="other.example", ssl=True, credentials=credentials)
            assert "There is no safe connection" in failed(await performed(other, outside, message({})))

    @pytest.mark.parametrize(
        "credentials", [{"type": "anonymous"}, {"type": "cert.PEM", "caCert": Authority("Other").pem}]
    )
    async def test_a_broker_whom_nobody_vouches_for_gets_nothing(
        self, outside: LocalOutside, port: int, credentials: dict[str, str]
    ) -> None:
        publish = node(port, ssl=True, credentials=credentials)
        assert "There is no safe connection" in failed(await performed(publish, outside, message({})))


@pytest.mark.django_db(transaction=True)
class TestOfThePlatform:
    @pytest.mark.parametrize("version", ["MQTT_3_1", "MQTT_5"])
    async def test_its_other_versions_are_spoken_and_their_refusals_are_understood(
        self, outside: LocalOutside, world: World, version: str
    ) -> None:
        async with serving() as front:
            common = {"topicPattern": "v1/devices/me/telemetry", "protocolVersion": version}
            device = {"type": "basic", "username": "ONE", "password": ""}
            publish = node(front.port, **common, credentials=device)
            assert (await performed(publish, outside, message({"t": 1}))).relation == "Success"
            assert [uplink.payload for uplink in front.ingest.sink.stored] == [b'{"t":1}']
            stranger = node(front.port, **common, credentials={**device, "username": "nobody"})
            assert "refuses the connection" in failed(await performed(stranger, outside, message({})))
            if version == "MQTT_5":  # the only one in which a broker can refuse a message
                refused = await performed(publish, outside, message({"refuse": 1}))
                assert "refuses the message" in failed(refused)
            await outside.close()


class TestConfigurations:
    def test_a_new_node(self) -> None:
        assert Mqtt.defaults() == {
            "topicPattern": "my-topic",
            "host": None,
            "port": 1883,
            "connectTimeoutSec": 10,
            "clientId": None,
            "appendClientIdSuffix": False,
            "retainedMessage": False,
            "cleanSession": True,
            "ssl": False,
            "parseToPlainText": False,
            "protocolVersion": "MQTT_3_1_1",
            "credentials": {"type": "anonymous"},
        }

    def test_older_versions(self) -> None:
        assert Mqtt.upgrade(0, {"x": 1}) == {"x": 1, "parseToPlainText": False, "protocolVersion": "MQTT_3_1"}
        assert Mqtt.upgrade(1, {"protocolVersion": "MQTT_5"}) == {"protocolVersion": "MQTT_5"}

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"protocolVersion": "MQTT_4"}, "expected one of MQTT_3_1, MQTT_3_1_1, MQTT_5"),
            (
                {"protocolVersion": "MQTT_3_1", "clientId": "x" * 24},
                "cannot be longer than 23, but current length is 24",
            ),
            (
                {"protocolVersion": "MQTT_3_1", "clientId": "x" * 15, "appendClientIdSuffix": True},
                "current length is 24",
            ),
            ({"clientId": "x" * 257}, "cannot be longer than 256"),
        ],
    )
    def test_what_cannot_be_is_said(self, wrong: dict[str, Any], why: str) -> None:
        with pytest.raises(ValueError, match=why):
            made(Mqtt, wrong)
