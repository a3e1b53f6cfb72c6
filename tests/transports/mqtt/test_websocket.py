"""MQTT over WebSocket: packets in frames of any cut, and nothing beyond the limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as dial
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from tests.transports.mqtt.certificates import make
from tests.transports.mqtt.client import connect, puback, publish
from tests.transports.mqtt.conftest import Front, World, serving
from tests.transports.mqtt.recorder import until
from tests.transports.mqtt.test_tls import certify, trusting
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.certificate import Certificate
from thingsboard.transports.mqtt.limits import MAX_EARLY
from thingsboard.transports.mqtt.listeners import layered
from thingsboard.transports.mqtt.ports import Port

WS = Port("ws", "TB_MQTT_WS_PORT", 0, "MQTT over WebSocket", websocket=True)
WSS = Port("wss", "TB_MQTT_WSS_PORT", 0, "MQTT over WebSocket and TLS", tls=True, websocket=True)


@asynccontextmanager
async def webbed(**limits: Any) -> AsyncIterator[Front]:
    async with serving(**limits) as front:
        await front.server.listen(layered(WS), "127.0.0.1")
        yield front


def opening(front: Front, path: str = "/mqtt", **more: Any) -> dial:
    return dial(f"ws://127.0.0.1:{front.server.ports['ws']}{path}", **{"subprotocols": ["mqtt"], "proxy": None, **more})


async def say(socket: ClientConnection, data: Any) -> bytes:
    """Send a message, and its answer."""
    await socket.send(data)
    async with asyncio.timeout(5):
        answer = await socket.recv()
    assert isinstance(answer, bytes)
    return answer


async def ending(socket: ClientConnection) -> tuple[int, str]:
    """The code and the reason with which the server closes."""
    async with asyncio.timeout(5):
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.mark.parametrize("subprotocol", ["mqtt", "mqttv3.1"])
async def test_a_page_of_any_origin_publishes(world: World, subprotocol: Any) -> None:
    async with webbed() as front:
        async with opening(front, subprotocols=[subprotocol], origin="https://elsewhere.example") as socket:
            assert socket.subprotocol == subprotocol
            assert "Sec-WebSocket-Extensions" not in socket.response.headers  # type: ignore[union-attr]
            assert await say(socket, connect("ONE")) == packets.connack(packets.ACCEPTED)
            assert await say(socket, publish(b"{}", 1)) == puback(1)
            there = front.server.devices[world.devices["ONE"].id]
            assert there.address[0] == "127.0.0.1"
        await until(lambda: not front.server.connections)
        assert front.ingest.payloads == [b"{}"]


async def test_packets_span_frames_and_frames_hold_many(world: World) -> None:
    async with webbed() as front, opening(front) as socket:
        for byte in connect("ONE"):
            await socket.send(bytes((byte,)))
        assert await socket.recv() == packets.connack(packets.ACCEPTED)
        many = b"".join(publish(b'{"n":%d}' % n, n) for n in range(1, 501))
        third = len(many) // 3
        await socket.send([many[:third], many[third : 2 * third], many[2 * third :]])  # one message of three fragments
        acks = b""
        while len(acks) < 4 * 500:
            acks += await socket.recv()  # type: ignore[operator]
        assert acks == b"".join(puback(n) for n in range(1, 501))
        assert front.ingest.payloads == [b'{"n":%d}' % n for n in range(1, 501)]


async def test_over_tls_it_is_the_same(world: World, tmp_path: Path) -> None:
    own, mine = make(tmp_path, "server"), make(tmp_path, "device")
    await certify(world, mine)
    async with serving() as front:
        await front.server.listen(layered(WSS, Certificate(own.certificate_file, own.key_file)), "127.0.0.1")
        url = f"wss://127.0.0.1:{front.server.ports['wss']}/mqtt"
        async with dial(url, ssl=trusting(own, mine), subprotocols=["mqtt"], proxy=None) as socket:  # type: ignore[list-item]
            assert await say(socket, connect("whatever")) == packets.connack(packets.ACCEPTED)
            assert await say(socket, publish(b"{}", 1)) == puback(1)
            transport = front.server.devices[world.devices["CERTIFIED"].id].transport
            assert transport.get_extra_info("ssl_object").getpeercert(binary_form=True) == mine.der


async def test_pings_of_websocket_are_answered(world: World) -> None:
    async with webbed() as front, opening(front) as socket, asyncio.timeout(5):
        await (await socket.ping(b"anybody?"))


async def test_text_is_refused_in_words(world: World) -> None:
    async with webbed() as front, opening(front) as socket:
        await say(socket, connect("ONE"))
        await socket.send("hello")
        assert await ending(socket) == (1003, "MQTT packets come in binary frames.")
        assert front.counted("ws_text") == 1


@pytest.mark.parametrize(
    ("path", "more", "status", "words"),
    [
        ("/", {}, 404, "expected the path /mqtt"),
        ("/mqtt/more", {}, 404, "expected the path /mqtt"),
        ("/mqtt", {"subprotocols": None}, 400, "expected the subprotocol mqtt or mqttv3.1"),
        ("/mqtt", {"subprotocols": ["chat"]}, 400, "expected the subprotocol mqtt or mqttv3.1"),
    ],
)
async def test_a_wrong_request_is_explained(
    world: World, path: str, more: dict[str, Any], status: int, words: str
) -> None:
    async with webbed() as front:
        with pytest.raises(InvalidStatus) as refused:
            await opening(front, path, **more)
        assert refused.value.response.status_code == status
        assert words in bytes(refused.value.response.body or b"").decode()
        assert front.counted("ws_handshake") == 1
        await until(lambda: not front.server.connections)


async def raw(front: Front, data: bytes) -> bytes:
    """What the server says to these bytes, to the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", front.server.ports["ws"])
    writer.write(data)
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_what_is_no_request_and_a_request_without_end_are_cut(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async with webbed() as front:
        assert await raw(front, connect("ONE") + b"\r\n\r\n") == b""
        assert front.counted("ws_handshake") == 1
        endless = b"GET /mqtt HTTP/1.1\r\n" + b"X: %s\r\n" % (b"x" * 8000) * 5
        assert len(endless) > MAX_EARLY
        assert b" 431 " in await raw(front, endless)
        assert front.counted("ws_early") == 1
        browser = b"GET /mqtt HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n"
        assert b" 426 " in await raw(front, browser)
        await until(lambda: not front.server.connections)
    assert not caplog.records


async def test_a_handshake_has_the_time_of_a_connect(world: World) -> None:
    async with webbed(connect_timeout=0.2) as front:
        assert await raw(front, b"GET /mqtt HTTP/1.1\r\n") == b""
        async with opening(front) as socket:
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        assert front.counted("connect_timeout") == 2


async def test_who_sends_much_before_its_connect_is_cut(world: World) -> None:
    async with webbed() as front, opening(front) as socket:
        for number in range(MAX_EARLY // 100):
            await socket.ping(b"%100d" % number)
        assert (await ending(socket))[0] == 1009
        assert front.counted("ws_early") == 1


async def test_a_frame_beyond_the_largest_packet_is_refused_as_soon_as_its_length_is_known(world: World) -> None:
    async with webbed(max_payload=10_000) as front, opening(front) as socket:
        await say(socket, connect("ONE"))
        assert await say(socket, publish(b"x" * 10_000, 1)) == puback(1)
        await socket.send(b"\xc0\x00" * 6000)
        assert (await ending(socket))[0] == 1009
        assert front.counted("ws_protocol") == 1


async def test_large_frames_are_not_copied_again_and_again(world: World) -> None:
    async with webbed(max_payload=1 << 20) as front, opening(front, max_size=None) as socket:
        await say(socket, connect("ONE"))
        pings = 128 * 1024
        await socket.send(b"\xc0\x00" * pings)
        answers = 0
        async with asyncio.timeout(10):  # where every packet moves the rest of the frame, it takes longer
            while answers < 2 * pings:
                answers += len(await socket.recv())
        assert answers == 2 * pings


async def test_a_message_that_ends_in_the_middle_is_nothing(world: World) -> None:
    whole = publish(b'{"temperature":1,"humidity":2}', 1)
    async with webbed() as front:
        async with opening(front) as socket:
            await say(socket, connect("ONE"))
            await socket.send(whole[:-10])
        await until(lambda: not front.server.connections)
        async with opening(front) as socket:
            await say(socket, connect("ONE"))
            assert await say(socket, whole) == puback(1)
            head = bytes((0x82, 0x80 | 100)) + b"\0\0\0\0"  # a frame of 100 bytes, of which some come
            socket.transport.write(head + whole)
            await until(lambda: not socket.transport.get_write_buffer_size())
            socket.transport.abort()
        await until(lambda: not front.server.connections)
        assert front.ingest.payloads == [b'{"temperature":1,"humidity":2}']


async def test_it_closes_as_websocket_wants_it(world: World) -> None:
    async with webbed() as front, opening(front) as socket:
        await say(socket, connect("ONE"))
        front.server.devices[world.devices["ONE"].id].close("shutdown")
        assert (await ending(socket))[0] == 1000


async def test_who_never_reads_is_cut(world: World) -> None:
    async with webbed(write_buffer=4096) as front:
        socket = await opening(front)
        await say(socket, connect("ONE"))
        socket.transport.pause_reading()
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(20):
                while True:
                    await socket.send(b"\xc0\x00" * 30_000)
        assert front.counted("slow_consumer") == 1


async def test_plain_mqtt_at_its_port_is_no_request(world: World) -> None:
    async with webbed() as front:
        with pytest.raises(InvalidMessage):
            await dial(f"ws://127.0.0.1:{front.port}/mqtt", proxy=None)
