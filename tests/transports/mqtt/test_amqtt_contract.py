"""Every name of amqtt 0.12.1 that we touch. An upgrade that moves one fails here first, by name."""

import asyncio
import inspect
from importlib.metadata import version
from pathlib import Path

import amqtt.adapters
import amqtt.broker
import amqtt.contexts
import amqtt.plugins.base
import amqtt.session
import pytest
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler

import thingsboard.transports.mqtt.broker as ours
from thingsboard.transports.mqtt.broker import CONFIG, LISTENER, FrontBroker, Reader, Transitions

BROKER = amqtt.broker.Broker


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_the_version_is_the_pinned_one() -> None:
    assert version("amqtt") == "0.12.1"
    root = Path(__file__).parents[3]
    assert "amqtt==0.12.1\n" in (root / "requirements.txt").read_text()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("__init__", ["self", "config", "loop", "plugin_namespace"]),
        ("start", ["self"]),
        ("shutdown", ["self"]),
        ("external_connected", ["self", "reader", "writer", "listener_name"]),
        ("add_subscription", ["self", "subscription", "session"]),
        ("retain_message", ["self", "source_session", "topic_name", "data", "qos"]),
        ("_broadcast_message", ["self", "session", "topic", "data", "force_qos"]),
        ("_del_subscription", ["self", "a_filter", "session"]),
        ("_topic_filtering", ["self", "session", "topic", "action"]),
    ],
)
def test_the_broker_has_what_we_call_and_override(name: str, expected: list[str]) -> None:
    assert parameters(getattr(BROKER, name)) == expected


def test_the_adapters_ask_for_what_ours_give() -> None:
    assert amqtt.adapters.ReaderAdapter.__abstractmethods__ == {"read", "feed_eof"}
    assert amqtt.adapters.WriterAdapter.__abstractmethods__ == {
        "write", "drain", "get_peer_info", "get_ssl_info", "close"
    }  # fmt: skip


def test_publishing_to_one_session_is_there() -> None:
    assert parameters(BrokerProtocolHandler.mqtt_publish) == ["self", "topic", "data", "qos", "retain", "ack_timeout"]
    assert isinstance(BROKER.sessions, property)


def test_plugins_are_asked_as_we_expect() -> None:
    assert "session" in parameters(amqtt.plugins.base.BaseAuthPlugin.authenticate)
    assert {"session", "topic", "action"} <= set(parameters(amqtt.plugins.base.BaseTopicPlugin.topic_filtering))
    assert {"PUBLISH", "SUBSCRIBE", "RECEIVE"} <= set(amqtt.contexts.Action.__members__)


def test_the_light_session_knows_all_that_amqtt_asks_of_its_states() -> None:
    assert amqtt.session.Session.states == ["new", "connected", "disconnected"]
    root = Path(inspect.getfile(amqtt.broker)).parent
    used = {
        word.split("(")[0].split(" ")[0].rstrip(":.)}")
        for path in (
            root / "broker.py",
            root / "mqtt" / "protocol" / "broker_handler.py",
            root / "mqtt" / "protocol" / "handler.py",
        )
        for word in path.read_text().replace("self.transitions.", "").split(".transitions.")[1:]
    }
    assert used <= {"connect", "disconnect", "is_connected", "is_disconnected", "is_new", "state"}
    light = Transitions()
    assert light.is_new()
    light.connect()
    assert light.is_connected()
    with pytest.raises(ValueError):
        light.connect()
    light.disconnect()
    light.disconnect()
    assert light.is_disconnected()
    light.connect()


def test_the_configuration_names_its_plugins_so_that_the_default_ones_stay_out() -> None:
    assert set(CONFIG["plugins"]) == {
        "thingsboard.transports.mqtt.plugin.DeviceAuthPlugin",
        "thingsboard.transports.mqtt.plugin.DeviceTopicPlugin",
    }
    assert {listener["type"] for listener in CONFIG["listeners"].values()} == {"external"}


async def test_a_broker_of_ours_starts_without_a_socket_and_stops() -> None:
    broker = FrontBroker()
    await broker.start()
    assert {type(plugin).__name__ for plugin in broker.plugins_manager.plugins} == {
        "DeviceAuthPlugin", "DeviceTopicPlugin"
    }  # fmt: skip
    assert LISTENER in broker._servers
    await broker.shutdown()


async def test_nobody_comes_in_by_the_back_door(world: object) -> None:
    """Straight to amqtt, past the front: the plugin asks for a token all the same."""
    broker = FrontBroker()
    await broker.start()
    try:
        for token, code in (("ONE", 0), ("NOBODY", 5)):
            sent: list[bytes] = []
            reader = Reader(ours_connect(token))
            writer = ours.Writer(sent.append, lambda: None, ("127.0.0.1", 1))
            session = asyncio.create_task(broker.run_session(reader, writer))
            async with asyncio.timeout(5):
                while not sent:
                    await asyncio.sleep(0.005)
            assert sent[0][3] == code
            reader.feed_eof()
            await session
    finally:
        await broker.shutdown()


def ours_connect(token: str) -> bytes:
    from thingsboard.transports.mqtt.packets import inner_connect

    return inner_connect("x", token)
