"""From a device's publish to the screen: nothing is missing in the end, whatever is lost on the way."""

import asyncio
import json
import signal
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psutil
import pytest
import redis
from django.conf import settings
from paho.mqtt.enums import CallbackAPIVersion
from websockets.exceptions import ConnectionClosed

from telemetry import fanout, interest
from tests.cast import Cast
from tests.telemetry.live.screen import (
    PATIENCE,
    Screen,
    dialled,
    lose_the_bus,
    of,
    own_web,
    quick_web,
    save,
    screen,
    token,
    values,
)
from tests.transports.http.test_daphne import web
from tests.transports.mqtt.client import Device, puback, publish
from tests.transports.mqtt.test_end_to_end import platform
from thingsboard.embedded import valkey

LATEST = {"type": "TIMESERIES", "scope": "LATEST_TELEMETRY", "keys": "n"}
POINTS = {"type": "TIMESERIES", "keys": "n"}


async def points_until(one: Screen, last: int) -> list[list[Any]]:
    """All points of subscription 2 up to the one with this value."""
    found: list[list[Any]] = []
    while not any(value == str(last) for _, value in found):
        frame = await one.hear()
        if frame["subscriptionId"] == 2:
            found += frame["data"]["n"]
    return found


async def test_a_real_device_is_seen_live(people: Cast) -> None:
    token_of_device = "acme-meter"
    client = paho.Client(CallbackAPIVersion.VERSION2)
    async with platform() as server, own_web() as at, screen(at, people.alice) as one:
        await one.ask(cmdId=1, keys="temperature", type="TIMESERIES", scope="LATEST_TELEMETRY", **of(people.device))
        serial = {"type": "ATTRIBUTES", "scope": "CLIENT_SCOPE", "keys": "serial", "cmdId": 2}
        await one.ask(**serial, **of(people.device))
        client.username_pw_set(token_of_device)
        await asyncio.to_thread(client.connect, "127.0.0.1", server.port)
        client.loop_start()
        try:
            client.publish("v1/devices/me/telemetry", '{"ts":1000,"values":{"temperature":25.5}}', qos=1)
            assert await one.hear() == values(1, temperature=[[1000, "25.5"]])
            client.publish("v1/devices/me/attributes", '{"serial":"A1"}', qos=1)
            said = await one.hear()
            assert said == values(2, serial=[[said["latestValues"]["serial"], "A1"]])
            posted = await at.post("acme-meter", b'{"ts":2000,"values":{"temperature":26}}')
            assert posted.status_code == 200
            assert await one.hear() == values(1, temperature=[[2000, "26"]])
        finally:
            client.disconnect()
            client.loop_stop()


async def test_a_burst_ends_with_the_last_value_and_no_point_is_missing(people: Cast) -> None:
    async with platform() as server, web() as at, screen(at, people.alice) as one, screen(at, people.alice) as other:
        await one.ask(cmdId=1, **LATEST, **of(people.device))
        await other.ask(cmdId=2, **POINTS, **of(people.device))
        device = await Device.enter(server.port, "acme-meter")
        for start in range(1, 1001, 250):
            numbers = range(start, start + 250)
            device.send(b"".join(publish(b'{"ts":%d,"values":{"n":%d}}' % (n, n), n) for n in numbers))
            for n in numbers:
                assert await device.receive() == puback(n)
        points = await points_until(other, 1000)
        frames = await one.until(lambda frame: frame["data"] == {"n": [[1000, "1000"]]})
        assert sorted(points) == [[n, str(n)] for n in range(1, 1001)]
        shown = [frame["data"]["n"][0][0] for frame in frames]
        assert shown == sorted(set(shown))
        assert len(frames) < 500


async def test_points_that_are_too_many_to_keep_are_read_from_history(people: Cast) -> None:
    slow = {"TB_WS_MAX_POINTS": 10, "TB_WS_UPDATE_SECONDS": 0.3}
    async with platform() as server, quick_web(**slow) as at, screen(at, people.alice) as one:
        await one.ask(cmdId=2, **POINTS, **of(people.device))
        device = await Device.enter(server.port, "acme-meter")
        for n in range(1, 201):
            device.send(publish(b'{"ts":%d,"values":{"n":%d}}' % (n, n), n))
        for n in range(1, 201):
            assert await device.receive() == puback(n)
        points = await points_until(one, 200)
        assert sorted({ts for ts, _ in points}) == list(range(1, 201))


async def test_a_long_text_is_read_by_who_wants_it(people: Cast) -> None:
    long = "x" * (fanout.LONGEST_TOLD + 1)
    async with quick_web() as at, screen(at, people.alice) as one:
        await one.ask(cmdId=1, **LATEST, **of(people.device))
        await one.ask(cmdId=2, **POINTS, **of(people.device))
        await save(people.device, 1000, n=long)
        said = [await one.hear(), await one.hear()]
        assert sorted(said, key=lambda frame: frame["subscriptionId"]) == [
            values(1, n=[[1000, long]]),
            values(2, n=[[1000, long]]),
        ]


async def test_while_nobody_watches_nothing_is_published(people: Cast) -> None:
    heard: list[Any] = []
    async with platform() as server, quick_web() as at, screen(at, people.alice) as one:
        await one.ask(cmdId=1, **LATEST, **of(people.device))
        device = await Device.enter(server.port, "acme-meter")
        other = await Device.enter(server.port, "bistro-oven")
        with redis.Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as ear:
            ear.psubscribe("tb:layer__group__*")
            await asyncio.sleep(interest.LEARN_SECONDS + 0.2)  # until then everything is told to everybody
            for n in range(1, 6):
                other.send(publish(b'{"ts":%d,"values":{"n":%d}}' % (n, n), n))
                assert await other.receive() == puback(n)
            device.send(publish(b'{"ts":7,"values":{"n":7}}', 1))
            assert await one.hear() == values(1, n=[[7, "7"]])
            while message := ear.get_message(timeout=0.2):
                if message["type"] == "pmessage":
                    heard.append(message["data"])
            ours, theirs = people.device.pk.bytes, people.bobs_device.pk.bytes
            assert sum(ours in each for each in heard) == 1
            assert not any(theirs in each for each in heard)


async def test_a_lost_connection_to_the_bus_is_made_up_for(people: Cast) -> None:
    device = people.device
    async with quick_web() as at, screen(at, people.alice) as one:
        await one.ask(cmdId=1, **LATEST, **of(device))
        await one.ask(cmdId=2, **POINTS, **of(device))
        await save(device, 1, n=1)
        await one.hear(), await one.hear()
        for round_ in range(2, 5):
            lose_the_bus()
            await save(device, round_, n=round_)
            said = [await one.hear(), await one.hear()]
            assert sorted(said, key=lambda frame: frame["subscriptionId"]) == [
                values(1, n=[[round_, str(round_)]]),
                values(2, n=[[round_, str(round_)]]),
            ]


async def test_a_restart_of_valkey_is_made_up_for(people: Cast, servers_dir: Path) -> None:
    device = people.device
    with ExitStack() as running:
        url = running.enter_context(valkey.throwaway(servers_dir))
        async with quick_web(REDIS_URL=url) as at, screen(at, people.alice) as one:
            await one.ask(cmdId=1, **LATEST, **of(device))
            await one.ask(cmdId=2, **POINTS, **of(device))
            assert (await at.post("acme-meter", b'{"ts":1,"values":{"n":1}}')).status_code == 200
            await one.hear(), await one.hear()
            running.close()
            for n in (2, 3):
                posted = await at.post("acme-meter", b'{"ts":%d,"values":{"n":%d}}' % (n, n))
                assert posted.status_code == 200
            running.enter_context(valkey.throwaway(servers_dir))
            heard: dict[int, list[Any]] = {1: [], 2: []}
            async with asyncio.timeout(PATIENCE):
                while not all(found[-1:] == [[3, "3"]] for found in heard.values()):
                    frame = await one.hear()
                    heard[frame["subscriptionId"]] += frame["data"]["n"]
            assert heard[2] == [[2, "2"], [3, "3"]]
            # Who reads anew between the two is told of the first one, too.
            assert heard[1] in ([[3, "3"]], [[2, "2"], [3, "3"]])
            assert (await at.post("acme-meter", b'{"ts":4,"values":{"n":4}}')).status_code == 200
            assert {str((await one.hear())["data"]) for _ in range(2)} == {"{'n': [[4, '4']]}"}
            assert "Traceback" not in at.said(), at.said()


async def test_open_sockets_do_not_spoil_the_end_of_the_process(people: Cast) -> None:
    mine = await token(people.alice)
    async with own_web() as at, dialled(at, f"/api/ws?token={mine}") as one, screen(at, people.bob):
        await one.ask(cmdId=1, **LATEST, **of(people.device))
        at.process.send_signal(signal.SIGTERM)
        assert await at.ended() in (0, -signal.SIGTERM)
        said = at.said()
        assert "Traceback" not in said and "pending" not in said and mine not in said, said


async def test_the_activity_of_a_device_is_seen_live(people: Cast) -> None:
    device = people.device
    watched = {"type": "ATTRIBUTES", "scope": "SERVER_SCOPE", "keys": "active"}
    async with quick_web(TB_ACTIVITY_REPORT_SECONDS=0.1) as at, screen(at, people.alice) as one:
        first = await one.ask(cmdId=1, **watched, **of(device))
        assert first["data"]["active"][0][1] == "false"
        assert (await at.post("acme-meter", b'{"n":1}')).status_code == 200
        assert (await one.hear())["data"]["active"][0][1] == "true"


@asynccontextmanager
async def stalled(at: Any, path: str) -> AsyncIterator[sockets.socket]:
    """A socket whose client shakes hands, says something and then never reads again."""
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", at.port))
    head = (
        f"GET {path} HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", "",
    )  # fmt: skip
    raw.sendall("\r\n".join(head).encode())
    try:
        yield raw
    finally:
        raw.close()


def masked(text: str) -> bytes:
    """A masked text frame of less than 64 KiB; the mask is zero."""
    body = text.encode()
    return b"\x81\xfe" + len(body).to_bytes(2, "big") + bytes(4) + body


async def test_who_does_not_read_is_closed_and_costs_little(people: Cast) -> None:
    device = people.device
    text = "x" * 3000
    async with quick_web(TB_WS_PONG_TIMEOUT=1.5) as at, screen(at, people.alice) as living:
        await living.ask(cmdId=2, **POINTS, **of(device))
        reading = asyncio.create_task(
            living.until(lambda said: said.get("subscriptionId") == 2 and said["data"]["n"][-1][0] == 399)
        )
        async with stalled(at, f"/api/ws?token={await token(people.alice)}") as raw:
            raw.sendall(masked(json.dumps({"cmds": [{"cmdId": 1, **POINTS, **of(device)}]})))
            process = psutil.Process(at.process.pid)
            before = process.memory_info().rss
            for ts in range(1, 400):
                await save(device, ts, n=f"{ts} {text}")
            async with asyncio.timeout(PATIENCE):
                while len([each for each in process.net_connections() if each.status == "ESTABLISHED"
                           and each.laddr.port == at.port]) > 2:  # fmt: skip
                    await asyncio.sleep(0.05)
            assert process.memory_info().rss - before < 40 << 20
        shown = [ts for said in await reading for ts, _ in said["data"]["n"]]
        assert sorted(set(shown)) == list(range(1, 400))


async def test_more_messages_than_are_answered_close_the_socket(people: Cast) -> None:
    async with quick_web() as at, dialled(at, f"/api/ws?token={await token(people.alice)}") as one:
        command = {"cmdId": 1, "type": "TIMESERIES_HISTORY", "keys": "n", "startTs": 0, "endTs": 9, **of(people.device)}
        said = {"cmds": [command] * 150}
        closed = asyncio.create_task(one.closed())  # reads on meanwhile
        with suppress(ConnectionClosed):
            while not closed.done():
                await one.socket.send(json.dumps(said))
        assert (await closed)[0] in (1008, None)  # who goes on sending may see the reset before the code


async def test_more_answers_than_are_read_close_the_socket(people: Cast) -> None:
    async with quick_web(TB_WS_MAX_QUEUE=5) as at, screen(at, people.alice) as one:
        await one.ask(cmdId=1, **LATEST, **of(people.device))
        one.socket.protocol.send_frame = lambda frame: None  # type: ignore[method-assign] - no pong any more
        asked = [{"cmdId": n, **LATEST, **of(people.device)} for n in range(2, 12)]
        one.socket.transport.write(masked(json.dumps({"cmds": asked})))
        assert await one.closed() == (1008, "Max pending updates limit reached!")


def test_a_publisher_remembers_the_last_word_of_each_watcher() -> None:
    known = interest.Interest()
    assert known.nodes() == [(interest.GROUP, None)]
    known._knows_from = 0.0  # as if it had listened for a while
    assert known.nodes() == []
    a, b = bytes(range(16)), bytes(range(1, 17))
    known.heard("live", interest.announcement("one", [a], whole=True))
    known.heard("live", interest.announcement("one", [b], whole=False))
    known.heard("live", interest.announcement("two", [b], whole=False))
    assert known.nodes() == [("live.one", frozenset({a, b})), ("live.two", frozenset({b}))]
    known.heard("live", interest.announcement("one", [b], whole=True))
    assert dict(known.nodes())["live.one"] == frozenset({b})
    for bad in ({"node": "x"}, {"node": "x", "all": "%"}, {"node": "x", "all": 7}):
        with pytest.raises((KeyError, ValueError)):
            known.heard("live", bad)
    assert len(known.nodes()) == 2
