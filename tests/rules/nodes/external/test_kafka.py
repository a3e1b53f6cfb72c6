"""Kafka: to the cluster that librdkafka brings along for tests, which is real to producers and consumers."""

import asyncio
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from rules.node import TryAgain
from rules.node.kafka_properties import PROPERTIES, servers, translated
from rules.nodes.external.kafka import Kafka
from tests.rules.nodes.context import message
from tests.rules.nodes.external.authority import Authority
from tests.rules.nodes.external.http_server import HttpServer, Reply, running
from tests.rules.nodes.outside import LocalOutside, outside_node, performed
from tests.rules.nodes.running import failed, made
from thingsboard.kernel.outgoing import Guard


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Its address."""
    host = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 3})
    (broker,) = host.list_topics(timeout=10).brokers.values()
    yield f"{broker.host}:{broker.port}"
    del host


@pytest.fixture
def topic() -> str:
    return f"topic-{uuid.uuid4().hex}"


def read(cluster: str, topic: str, count: int) -> list[Message]:
    """The first records of all partitions of a topic."""
    consumer = Consumer({"bootstrap.servers": cluster, "group.id": "test", "log_level": 0})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        found = consumer.consume(count, timeout=10)
        assert not any(each.error() for each in found)
        return found
    finally:
        consumer.close()


def node(cluster: str, topic: str, **configuration: Any) -> Any:
    return outside_node(Kafka, **{"bootstrapServers": cluster, "topicPattern": topic, **configuration})


async def test_records_are_stored_and_the_metadata_tell_where(outside: LocalOutside, cluster: str, topic: str) -> None:
    publish = node(cluster, "${t}", keyPattern="$[k]")
    outcome = await performed(publish, outside, message(raw=b'{"k":"a","v":"\xc3\xa4"}', t=topic))
    assert outcome.relation == "Success"
    (record,) = await asyncio.to_thread(read, cluster, topic, 1)
    assert (record.key(), record.value(), record.headers()) == (b"a", b'{"k":"a","v":"\xc3\xa4"}', None)
    assert outcome.msg.metadata == {"t": topic, "topic": topic, "partition": str(record.partition()), "offset": "0"}


async def test_a_body_that_is_no_text_arrives_as_it_is(outside: LocalOutside, cluster: str, topic: str) -> None:
    assert (await performed(node(cluster, topic), outside, message(raw=b"\xff\x00"))).relation == "Success"
    (record,) = await asyncio.to_thread(read, cluster, topic, 1)
    assert (record.key(), record.value()) == (None, b"\xff\x00")


@pytest.mark.parametrize(("charset", "sent"), [("UTF-8", "é€".encode()), ("ISO-8859-1", b"\xe9?")])
async def test_metadata_go_along_as_headers(
    outside: LocalOutside, cluster: str, topic: str, charset: str, sent: bytes
) -> None:
    publish = node(cluster, topic, addMetadataKeyValuesAsKafkaHeaders=True, kafkaHeadersCharset=charset)
    await performed(publish, outside, message({}, ts="5", name="é€"))
    (record,) = await asyncio.to_thread(read, cluster, topic, 1)
    assert record.headers() == [("tb_msg_md_ts", b"5"), ("tb_msg_md_name", sent)]


async def test_one_producer_serves_many_messages_at_once(outside: LocalOutside, cluster: str, topic: str) -> None:
    publish = node(cluster, topic, keyPattern="${n}", linger=5)
    outcomes = await asyncio.gather(*(performed(publish, outside, message({}, n=str(n % 7))) for n in range(200)))
    assert {outcome.relation for outcome in outcomes} == {"Success"} and outside.opened == 1
    places = {(outcome.msg.metadata["partition"], outcome.msg.metadata["offset"]) for outcome in outcomes}
    assert len(places) == 200
    of_one_key = {outcome.msg.metadata["partition"] for outcome in outcomes if outcome.msg.metadata["n"] == "3"}
    assert len(of_one_key) == 1


async def test_keys_lie_where_kafkas_java_client_puts_them(outside: LocalOutside, cluster: str, topic: str) -> None:
    """murmur2("21") is -973932308 (as in Kafka's own test of it), so its partition of four is that without the sign, mod 4."""
    outcome = await performed(node(cluster, topic, keyPattern="21"), outside, message({}))
    assert outcome.msg.metadata["partition"] == str((-973932308 & 0x7FFFFFFF) % 4)


async def test_without_acknowledgements_nobody_knows_the_offset(
    outside: LocalOutside, cluster: str, topic: str
) -> None:
    outcome = await performed(node(cluster, topic, acks="0"), outside, message({}))
    assert outcome.relation == "Success" and outcome.msg.metadata["partition"] in "0123"


async def test_a_record_that_is_too_large_is_a_failure(outside: LocalOutside, cluster: str, topic: str) -> None:
    publish = node(cluster, topic, otherProperties={"max.request.size": "1000"})
    assert "too large" in failed(await performed(publish, outside, message("x" * 2000)))


async def test_bootstrap_servers_must_be_permitted(cluster: str, topic: str) -> None:
    async with LocalOutside(Guard()) as outside:
        assert "is not permitted" in failed(await performed(node(cluster, topic), outside, message({})))
        assert outside.opened == 0


async def test_servers_that_the_cluster_names_must_be_permitted_before_anything_is_sent(
    cluster: str, topic: str
) -> None:
    """The name is permitted, whatever it means; the address that the cluster names is not."""

    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    port = cluster.rpartition(":")[2]
    async with LocalOutside(Guard(allowed=["kafka.example"], resolver=resolver)) as outside:
        outcome = await performed(node(f"kafka.example:{port}", topic), outside, message({}))
        assert failed(outcome).startswith(f"127.0.0.1:{port} is not permitted")
    high = Consumer({"bootstrap.servers": cluster, "group.id": "test", "log_level": 0})
    assert high.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1] == 0
    high.close()


async def test_a_cluster_that_is_not_there_is_tried_again(
    outside: LocalOutside, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thingsboard.kernel.outgoing.kafka.METADATA_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(TryAgain, match="cannot be reached"):
        await performed(node(f"127.0.0.1:{port}", topic), outside, message({}))
    assert outside.clients == {}


async def test_a_cluster_whom_nobody_vouches_for_gets_nothing(
    outside: LocalOutside, authority: Authority, tmp_path: Path, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thingsboard.kernel.outgoing.kafka.METADATA_S", 1.0)
    properties = {
        "security.protocol": "SSL",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.certificates": Authority("Another").pem.replace("\n", "\\n"),
    }
    async with running(HttpServer(lambda heard: Reply()), authority.server(tmp_path, "127.0.0.1")) as server:
        publish = node(f"127.0.0.1:{server.port}", topic, otherProperties=properties)
        assert "refuses the connection" in failed(await performed(publish, outside, message({})))
    assert server.heard == []


class TestProperties:
    def test_they_are_javas_and_secrets_of_them_are_shown_to_nobody(self) -> None:
        jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="ann" password="p\\"w";'
        properties = {"security.protocol": "sasl_ssl", "sasl.mechanism": "plain", "sasl.jaas.config": jaas}
        assert translated(properties) == {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "ann",
            "sasl.password": 'p"w',
        }
        shown = node("a:1", "t", otherProperties={**properties, "ssl.keystore.key": "PRIVATE"}).preview(message({}))
        assert "PRIVATE" not in str(shown) and 'p"w' not in str(shown) and "jaas" not in str(shown)

    @pytest.mark.parametrize(
        "name",
        [
            "plugin.library.paths",
            "sasl.kerberos.kinit.cmd",
            "sasl.oauthbearer.token.endpoint.url",
            "ssl.key.location",
            "ssl.truststore.location",
            "ssl.engine.location",
            "ssl.providers",
            "bootstrap.servers",
            "debug",
            "interceptor.classes",
            "test.mock.num.brokers",
        ],
    )
    def test_what_could_reach_into_the_platform_is_refused(self, name: str) -> None:
        assert name not in PROPERTIES
        with pytest.raises(ValueError, match=f"The Kafka property '{name}' is not supported"):
            made(Kafka, {"bootstrapServers": "a:1", "otherProperties": {name: "x"}})

    @pytest.mark.parametrize(
        ("properties", "why"),
        [
            ({"sasl.mechanism": "GSSAPI"}, "expected one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"),
            ({"sasl.mechanism": "OAUTHBEARER"}, "expected one of PLAIN"),
            ({"request.timeout.ms": "soon"}, "expected a whole number"),
            ({"ssl.keystore.type": "JKS"}, "expected one of PEM"),
        ],
    )
    def test_a_value_that_cannot_be_is_said(self, properties: dict[str, str], why: str) -> None:
        with pytest.raises(ValueError, match=why):
            translated(properties)

    def test_every_property_is_one_that_librdkafka_knows(self) -> None:
        samples = {"security.protocol": "plaintext", "ssl.endpoint.identification.algorithm": ""}
        text = {name for name, (here, _) in PROPERTIES.items() if ".pem" in here}
        for name in PROPERTIES.keys() - text:
            for value in (samples.get(name, "1000"), "true", "PEM", "gzip", "PLAIN"):
                try:
                    settings = translated({name: value})
                except ValueError:
                    continue
                Producer({"bootstrap.servers": "", **settings})
                break
            else:
                raise AssertionError(name)

    def test_no_time_is_longer_than_the_work_may_take(self) -> None:
        assert translated({"delivery.timeout.ms": "120000"}) == {"message.timeout.ms": 40_000}

    def test_servers(self) -> None:
        assert servers("a:1, [::1]:9092,") == [("a", 1), ("::1", 9092)]
        for wrong in ("a", "a:b", ":1", "a:0", "http://a"):
            with pytest.raises(ValueError, match="expected host:port"):
                servers(wrong)
        with pytest.raises(ValueError, match="names no bootstrap servers"):
            servers(" ")


class TestConfigurations:
    def test_a_new_node(self) -> None:
        assert Kafka.defaults() == {
            "topicPattern": "my-topic",
            "keyPattern": None,
            "bootstrapServers": "localhost:9092",
            "retries": 0,
            "batchSize": 16384,
            "linger": 0,
            "bufferMemory": 33554432,
            "acks": "-1",
            "otherProperties": {},
            "addMetadataKeyValuesAsKafkaHeaders": False,
            "kafkaHeadersCharset": "UTF-8",
        }

    def test_version_0_named_its_serializers(self) -> None:
        old = {"keySerializer": "k", "valueSerializer": "v", "topicPattern": "t"}
        assert Kafka.upgrade(0, old) == {"topicPattern": "t"}

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [({"acks": "2"}, "acks is '2'"), ({"kafkaHeadersCharset": "klingon"}, "'klingon' is not a charset")],
    )
    def test_what_cannot_be_is_said(self, wrong: dict[str, Any], why: str) -> None:
        with pytest.raises(ValueError, match=why):
            made(Kafka, {**Kafka.defaults(), **wrong})

    @pytest.mark.parametrize("topic", ["", "a b", "ä", "x" * 250])
    def test_a_topic_that_is_none_fails_before_anything_waits(self, topic: str) -> None:
        with pytest.raises(ValueError, match="is not a Kafka topic"):
            node("a:1", "${t}").destination(message({}, t=topic))

    def test_the_message_waits_for_its_cluster(self) -> None:
        assert node("a:1,b:2", "t").destination(message({})) == "kafka://a:1,b:2"
