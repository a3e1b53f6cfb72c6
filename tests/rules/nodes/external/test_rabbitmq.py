"""Rabbitmq: to a real RabbitMQ on loopback. It takes long to start, so most of this runs with the slow tests."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aio_pika
import pytest

from rules.node import TryAgain
from rules.nodes.external.rabbitmq import Rabbitmq
from tests.rules.nodes.context import message
from tests.rules.nodes.external import rabbit
from tests.rules.nodes.external.relay import relaying
from tests.rules.nodes.outside import LocalOutside, outside_node, performed
from tests.rules.nodes.running import failed, made
from thingsboard.kernel.outgoing import Guard


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if not rabbit.SERVER.exists() and os.environ.get("CI") != "true":
        pytest.skip("There is no RabbitMQ on this machine (Debian: apt install rabbitmq-server).")
    with rabbit.running(tmp_path_factory.mktemp("rabbitmq")) as port:
        yield port


@pytest.fixture
async def channel(port: int) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    """Of somebody else."""
    connection = await aio_pika.connect(host="127.0.0.1", port=port)
    async with connection:
        yield await connection.channel()


def node(port: int, **configuration: Any) -> Any:
    return outside_node(Rabbitmq, **{"host": "127.0.0.1", "port": port, **configuration})


async def taken(queue: aio_pika.abc.AbstractQueue) -> aio_pika.abc.AbstractIncomingMessage:
    arrived = await queue.get(no_ack=True)
    assert arrived is not None
    return arrived


@pytest.mark.slow
class TestAgainstRabbitMq:
    async def test_messages_reach_the_queue_that_is_named(
        self, outside: LocalOutside, port: int, channel: aio_pika.abc.AbstractChannel
    ) -> None:
        queue = await channel.declare_queue("q-a", auto_delete=True)
        outcome = await performed(node(port, routingKeyPattern="q-${x}"), outside, message({"t": 1}, x="a"))
        assert (outcome.relation, outcome.msg.metadata) == ("Success", {"x": "a"})
        arrived = await taken(queue)
        assert (arrived.body, arrived.message_id) == (b'{"t":1}', outside.key.hex)

    @pytest.mark.parametrize(
        ("name", "kind", "mode", "priority"),
        [
            (None, None, None, None),
            ("BASIC", "application/octet-stream", 1, 0),
            ("TEXT_PLAIN", "text/plain", 1, 0),
            ("MINIMAL_BASIC", None, None, None),
            ("MINIMAL_PERSISTENT_BASIC", None, 2, None),
            ("PERSISTENT_BASIC", "application/octet-stream", 2, 0),
            ("PERSISTENT_TEXT_PLAIN", "text/plain", 2, 0),
        ],
    )
    async def test_exchanges_lead_on_and_properties_are_those_of_their_names(
        self,
        outside: LocalOutside,
        port: int,
        channel: aio_pika.abc.AbstractChannel,
        name: str | None,
        kind: str | None,
        mode: int | None,
        priority: int | None,
    ) -> None:
        exchange = await channel.declare_exchange("places", aio_pika.ExchangeType.TOPIC)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(exchange, "site.*")
        publish = node(port, exchangeNamePattern="$[x]", routingKeyPattern="site.a", messageProperties=name)
        body = b'{"x":"places","y":"\xc3\xa4"}'
        assert (await performed(publish, outside, message(raw=body))).relation == "Success"
        arrived = await taken(queue)
        assert (arrived.body, arrived.content_type, arrived.priority) == (body, kind, priority or 0)
        assert arrived.delivery_mode == (mode or 1)

    async def test_what_leads_nowhere_is_a_failure_where_a_queue_was_named_and_fine_where_an_exchange_was(
        self, outside: LocalOutside, port: int, channel: aio_pika.abc.AbstractChannel
    ) -> None:
        await channel.declare_exchange("deaf", aio_pika.ExchangeType.FANOUT, auto_delete=False)
        lost = await performed(node(port, routingKeyPattern="no-such-queue"), outside, message({}))
        assert failed(lost) == "There is no queue 'no-such-queue'."
        assert (await performed(node(port, exchangeNamePattern="deaf"), outside, message({}))).relation == "Success"

    async def test_an_exchange_that_is_not_there_fails_its_message_and_none_of_the_others(
        self, outside: LocalOutside, port: int, channel: aio_pika.abc.AbstractChannel
    ) -> None:
        queue = await channel.declare_queue("busy", auto_delete=True)
        good, bad = node(port, routingKeyPattern="busy"), node(port, exchangeNamePattern="nowhere")
        outcomes = await asyncio.gather(
            *(performed(bad if n % 10 == 0 else good, outside, message({"n": n})) for n in range(50))
        )
        assert [outcome.relation for outcome in outcomes] == [
            ("Failure" if n % 10 == 0 else "Success") for n in range(50)
        ]
        assert failed(outcomes[0]) == "There is no exchange 'nowhere'." and outside.opened == 1
        assert len({(await taken(queue)).body for _ in range(45)}) == 45

    async def test_an_exchange_that_was_there_and_is_gone_is_found_out(
        self, outside: LocalOutside, port: int, channel: aio_pika.abc.AbstractChannel
    ) -> None:
        exchange = await channel.declare_exchange("short-lived", aio_pika.ExchangeType.FANOUT)
        publish = node(port, exchangeNamePattern="short-lived")
        assert (await performed(publish, outside, message({}))).relation == "Success"
        await exchange.delete(if_unused=False)
        assert "There is no exchange" in failed(await performed(publish, outside, message({})))

    @pytest.mark.parametrize("wrong", [{"password": "x"}, {"virtualHost": "no-such-host"}, {"username": "nobody"}])
    async def test_a_broker_that_refuses_is_a_failure(
        self, outside: LocalOutside, port: int, wrong: dict[str, str]
    ) -> None:
        outcome = await performed(node(port, routingKeyPattern="q", **wrong), outside, message({}))
        assert "refuses the connection" in failed(outcome)

    async def test_a_connection_that_was_lost_is_opened_anew(
        self, outside: LocalOutside, port: int, channel: aio_pika.abc.AbstractChannel
    ) -> None:
        await channel.declare_queue("again", auto_delete=True)
        async with relaying(port) as relay:
            publish = node(relay.port, routingKeyPattern="again", clientProperties={"product": "test"})
            assert (await performed(publish, outside, message({}))).relation == "Success"
            relay.cut()
            with pytest.raises(TryAgain):
                await performed(publish, outside, message({}))
            assert outside.clients == {}
            assert (await performed(publish, outside, message({}))).relation == "Success"
            await outside.close()


async def test_a_broker_that_is_not_there_or_says_nothing_is_tried_again(outside: LocalOutside) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(TryAgain, match="did not answer within"):
            await performed(node(port, connectionTimeout=50, handshakeTimeout=50), outside, message({}))
    with pytest.raises(TryAgain, match="cannot be reached"):
        await performed(node(port), outside, message({}))


async def test_a_broker_that_is_not_permitted_is_not_asked() -> None:
    async with LocalOutside(Guard()) as outside:
        assert "is not permitted" in failed(await performed(node(5672), outside, message({})))


def test_a_publication_can_be_looked_at_without_its_secrets() -> None:
    publish = node(5672, routingKeyPattern="r", username="ann", password="hidden")
    assert publish.preview(message({"t": 1})) == {
        "broker": "amqp://127.0.0.1:5672",
        "virtualHost": "/",
        "username": "ann",
        "exchange": "",
        "routingKey": "r",
        "properties": None,
        "body": '{"t":1}',
    }


@pytest.mark.parametrize("key", ["x" * 256, "a\0b"])
def test_a_name_that_cannot_be_one_fails_before_anything_waits(key: str) -> None:
    with pytest.raises(ValueError, match="is too long"):
        node(5672, routingKeyPattern="${k}").destination(message({}, k=key))


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(ValueError, match="Undefined message properties type 'FANCY'"):
        made(Rabbitmq, {"messageProperties": "FANCY"})
    with pytest.raises(ValueError, match="names no host of RabbitMQ"):
        outside_node(Rabbitmq).destination(message({}))


def test_a_new_node() -> None:
    assert Rabbitmq.defaults() == {
        "exchangeNamePattern": "",
        "routingKeyPattern": "",
        "messageProperties": None,
        "host": None,
        "port": 5672,
        "virtualHost": "/",
        "username": "guest",
        "password": "guest",
        "automaticRecoveryEnabled": False,
        "connectionTimeout": 60000,
        "handshakeTimeout": 10000,
        "clientProperties": {},
    }
