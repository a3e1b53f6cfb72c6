"""Whatever bytes come, cut wherever: nobody else notices, nothing is logged as a defect, and the cut changes nothing."""

import itertools
import logging
from collections.abc import Sequence

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import few
from tests.transports.mqtt import client, client5
from tests.transports.mqtt.client import ATTRIBUTES, Device, puback
from tests.transports.mqtt.conftest import Front, World, serving
from tests.transports.mqtt.recorder import until
from tests.transports.mqtt.test_end_to_end import platform
from thingsboard.transports.mqtt import packets, properties, v5
from thingsboard.transports.mqtt.flow import CLOSED
from thingsboard.transports.mqtt.packets import Fields, Malformed, packet

MEGABYTE = 1 << 20
PAYLOADS = (
    b'{"a":1}',
    b'{"ts":1700000000000,"values":{"b":"x"}}',
    b"",
    b"{",
    b'{"a":NaN}',
    b"[" * 200,
    b"\xff\0",
    b"x" * 300,
)
TOPICS = (client.TELEMETRY, ATTRIBUTES, "v2/t", "home/kitchen", "v1/devices/me/rpc/request/1", "a+b", "")
FILTERS = ("v1/devices/me/rpc/request/+", "#", ATTRIBUTES)

ids = st.integers(0, 4)
payloads = st.sampled_from(PAYLOADS) | st.binary(max_size=40)
topics = st.sampled_from(TOPICS)
raw = st.builds(packet, st.integers(0, 255), st.binary(max_size=30))
answers = st.builds(lambda head, number: bytes((head, 2, 0, number)), st.sampled_from([0x40, 0x50, 0x62, 0x70]), ids)


def conversation(speak: object) -> st.SearchStrategy[list[bytes]]:
    """Packets of one version, most of them valid."""
    said = st.one_of(
        st.builds(lambda p, n, t, q: speak.publish(p, n, topic=t, qos=q), payloads, ids, topics, st.integers(0, 2)),  # type: ignore[attr-defined]
        st.builds(lambda f, n: speak.subscribe(f, packet_id=n), st.sampled_from(FILTERS), ids),  # type: ignore[attr-defined]
        st.builds(lambda f, n: speak.unsubscribe(f, packet_id=n), st.sampled_from(FILTERS), ids),  # type: ignore[attr-defined]
        st.just(b"\xc0\x00"),
        answers,
        raw,
    )
    return st.lists(said, min_size=1, max_size=8)


VERSIONS = {4: conversation(client), 5: conversation(client5)}
talks = st.sampled_from([4, 5]).flatmap(lambda version: st.tuples(st.just(version), VERSIONS[version]))


@st.composite
def mutated(draw: st.DrawFn) -> tuple[int, bytes]:
    """A conversation with bytes changed, left out, put in and repeated."""
    version, said = draw(talks)
    stream = bytearray(b"".join(said))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(stream)))
        length = draw(st.integers(0, 8))
        part = bytes(stream[at : at + length])
        stream[at : at + length] = draw(
            st.sampled_from([b"", part + part, bytes(byte ^ 0x80 for byte in part)]) | st.binary(max_size=4)
        )
    return version, bytes(stream)


async def entered(port: int, token: str, version: int) -> Device:
    return await (client5.enter(port, token) if version == 5 else Device.enter(port, token))


def split(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


async def outcome(front: Front, world: World, version: int, parts: list[bytes]) -> tuple[object, ...]:
    """What a server made of these bytes, cut like this: what it stored, whether it closed and why."""
    front.ingest.sink.stored.clear()
    front.server.counters.by_reason.clear()
    await entered(front.port, "ONE", version)
    there = front.server.devices[world.devices["ONE"].id]
    for part in parts:
        if there.state != CLOSED:
            there.data_received(part)
    await until(lambda: not front.ingest.batcher.pending)
    stored = [(message.kind, message.payload) for message in front.ingest.sink.stored]
    closed = there.state == CLOSED
    there.transport.abort()
    await until(lambda: not front.server.connections)
    reasons = {reason for reason in front.server.counters.by_reason if reason != "payload"}
    return stored, closed, reasons


@few(0.3)
@given(talk=mutated(), cuts=st.lists(st.integers(0, 2000), min_size=1, max_size=12))
async def test_the_same_bytes_mean_the_same_wherever_they_are_cut(
    world: World, talk: tuple[int, bytes], cuts: list[int]
) -> None:
    version, stream = talk
    async with serving() as front:
        whole = await outcome(front, world, version, [stream])
        assert await outcome(front, world, version, split(stream, cuts)) == whole
        assert await outcome(front, world, version, [stream[at : at + 1] for at in range(len(stream))]) == whole


@few(0.6)
@given(talks=st.lists(mutated(), min_size=1, max_size=4), first=st.binary(max_size=60))
async def test_no_stream_disturbs_another_client_or_is_logged_as_a_defect(
    world: World, caplog: pytest.LogCaptureFixture, talks: list[tuple[int, bytes]], first: bytes
) -> None:
    before = psutil.Process().memory_info().rss
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        async with platform(connect_timeout=1, max_payload=1000) as server:
            quiet = await Device.enter(server.port, "TWO")
            stranger = await Device.dial(server.port)
            stranger.send(b"\x10" + first)
            for number, (version, stream) in enumerate(talks, 1):
                noisy = await entered(server.port, "ONE", version)
                noisy.send(stream)
                quiet.send(client.publish(b'{"n":%d}' % number, number))
                assert await quiet.receive() == puback(number)
                noisy.writer.transport.abort()
    defects = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]
    assert defects == []
    assert psutil.Process().memory_info().rss - before < 64 * MEGABYTE


@given(
    st.binary(max_size=120),
    st.sampled_from([b"", b"\0\4MQTT\4\x82\0\0", b"\0\4MQTT\5\x82\0\0", b"\0\6MQIsdp\3\x82\0\0"]),
)
def test_a_first_packet_waits_for_its_end_and_then_is_read_or_refused(tail: bytes, head: bytes) -> None:
    whole = packet(0x10, head + tail)
    for cut in range(1, len(whole)):
        body, needed = packets.first_packet(whole[:cut], 8192)
        assert body is None
        assert needed in (0, len(whole))
    body, end = packets.first_packet(whole + b"behind", 8192)
    assert (body, end) == (head + tail, len(whole))
    try:
        v5.read_connect(head + tail)
    except (Malformed, v5.Unwelcome):
        pass


@given(st.binary(max_size=200), st.sampled_from([properties.OF_CONNECT, properties.OF_PUBLISH, frozenset(range(256))]))
def test_properties_are_read_within_their_length_or_refused(data: bytes, allowed: frozenset[int]) -> None:
    fields = Fields(packet(0, data)[1:] + b"behind", "test")
    try:
        properties.read_properties(fields, allowed)
    except Malformed as error:
        assert error.reason
    else:
        assert fields.body[fields.at :] == b"behind"


@given(st.binary(max_size=80), st.integers(0, 2))
def test_a_publish_of_mqtt_5_is_read_or_refused(body: bytes, qos: int) -> None:
    try:
        topic, packet_id, alias, payload = v5.parse_publish(body, qos)
    except Malformed:
        return
    assert len(topic) + len(packet_id) + len(payload) <= len(body)
    assert len(packet_id) == (2 if qos else 0)
    assert 0 <= alias < 1 << 16
