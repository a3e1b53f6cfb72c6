"""An address that guesses is kept out for a while; it is off unless it is asked for."""

import asyncio
from typing import Any

import pytest

from tests.transports.mqtt import client5
from tests.transports.mqtt.client import Device, connect
from tests.transports.mqtt.conftest import Front, World, serving
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.blocks import MAX_ADDRESSES, Blocks
from thingsboard.transports.mqtt.peer import network_of
from thingsboard.transports.mqtt.recognition import Refused

WRONG = Refused(packets.NOT_AUTHORIZED, "wrong_token")


async def code(front: Front, first: bytes) -> int:
    device = await Device.dial(front.port)
    device.send(first)
    answer = await device.receive()
    await device.leave()
    return answer[3]


async def test_by_default_nobody_is_blocked(world: World) -> None:
    async with serving() as front:
        for _ in range(12):
            assert await code(front, connect("NOBODY")) == packets.NOT_AUTHORIZED
        assert await code(front, connect("ONE")) == packets.ACCEPTED


async def test_after_so_many_wrong_credentials_even_right_ones_are_refused_for_a_while(
    world: World, settings: Any
) -> None:
    settings.TB_MQTT_AUTH_BLOCK_ATTEMPTS, settings.TB_MQTT_AUTH_BLOCK_SECONDS = 3, 0.4
    async with serving() as front:
        inside = await Device.enter(front.port, "TWO")
        for first in (connect("NOBODY"), connect(None, "nobody"), client5.connect("NOBODY", password=b"x")):
            assert await code(front, first)
        assert await code(front, connect("ONE")) == packets.NOT_AUTHORIZED
        assert await code(front, client5.connect("ONE")) == 0x8A
        assert front.counted("blocked") == 2
        async with asyncio.timeout(5):
            while await code(front, connect("ONE")) != packets.ACCEPTED:
                await asyncio.sleep(0.05)
        assert await inside.silent()  # who is in stays in
        assert await code(front, connect("NOBODY")) == packets.NOT_AUTHORIZED
        assert await code(front, connect("ONE")) == packets.ACCEPTED


def test_right_credentials_let_an_address_begin_anew_and_a_silent_database_does_not_count() -> None:
    blocks = Blocks(2, 60, lambda: 0.0)
    blocks.failed("a", WRONG)
    blocks.passed("a")
    blocks.failed("a", WRONG)
    for _ in range(5):
        blocks.failed("a", Refused(packets.UNAVAILABLE, "database"))
        blocks.failed("", WRONG)
    blocks.check("a")
    blocks.check("")
    blocks.failed("a", WRONG)
    with pytest.raises(Refused):
        blocks.check("a")
    blocks.check("b")


def test_a_block_ends_and_is_not_prolonged_by_knocking() -> None:
    now = [0.0]
    blocks = Blocks(1, 60, lambda: now[0])
    blocks.failed("a", WRONG)
    for now[0] in (0.0, 30.0, 59.9):
        with pytest.raises(Refused) as refused:
            blocks.check("a")
        blocks.failed("a", refused.value)
    now[0] = 60.1
    blocks.check("a")


def test_addresses_are_forgotten_rather_than_kept_without_bound() -> None:
    for attempts in (1, 2):
        blocks = Blocks(attempts, 60, lambda: 0.0)
        for number in range(MAX_ADDRESSES + 5):
            blocks.failed(str(number), WRONG)
        assert len(blocks._failures) + len(blocks._until) == MAX_ADDRESSES


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_address_is_what_one_host_cannot_change(host: str, network: str) -> None:
    assert network_of(host) == network
