"""The guard: who may be connected to, and that the connection goes to the address that was checked."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from thingsboard.kernel.outgoing import Allowed, Guard, Refused, Unreachable
from thingsboard.kernel.outgoing.networks import special

PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]
INSIDE = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("100.64.0.1", "169.254.1.1", "169.254.169.254", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1"),
    *(
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
    ),
    *(
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
    ),
    *("2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::", "2001:db8::1", "100::1", "::ffff:0:127.0.0.1"),
]


def answering(*answers: Sequence[str]):  # type: ignore[no-untyped-def]
    """A resolver that gives one answer after the other, the last one for ever."""
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


@pytest.mark.parametrize("ip", PUBLIC)
async def test_a_public_address_is_permitted(ip: str) -> None:
    assert special(ip_address(ip)) == ""
    assert await Guard().resolve(ip, 443) == [(str(ip_address(ip)), 443)]


@pytest.mark.parametrize("ip", INSIDE)
async def test_an_address_that_is_not_public_is_refused(ip: str) -> None:
    with pytest.raises(Refused, match="is not permitted"):
        await Guard().resolve(ip, 80)
    with pytest.raises(Refused, match="is not permitted"):
        await Guard(resolver=answering([ip])).resolve("innocent.example", 80)


@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0x7f000001", "[::1]", "localhost"])
async def test_other_ways_to_write_loopback_are_refused_too(host: str) -> None:
    with pytest.raises(Refused, match="loopback"):
        await Guard().resolve(host, 80)


async def test_a_name_that_means_both_sides_is_refused() -> None:
    with pytest.raises(Refused, match=r"10\.0\.0\.1 is private"):
        await Guard(resolver=answering(["8.8.8.8", "10.0.0.1"])).resolve("both.example", 443)


@pytest.mark.parametrize("host", ["", "a b", "a/b", "user@host", "a\\b", "a\nb", "a\x00b"])
async def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(Refused, match="is not the name of a host"):
        await Guard().resolve(host, 80)


@pytest.mark.parametrize("port", [0, -1, 65536])
async def test_what_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(Refused, match="is not a port"):
        await Guard().resolve("8.8.8.8", port)


@pytest.mark.parametrize(
    ("entry", "host", "port", "ip", "permitted"),
    [
        ("mqtt.factory.example", "MQTT.factory.example.", 1883, "10.0.0.1", True),
        ("mqtt.factory.example", "x.mqtt.factory.example", 1883, "10.0.0.1", False),
        (".factory.example", "mqtt.factory.example", 1883, "10.0.0.1", True),
        (".factory.example", "evilfactory.example", 1883, "10.0.0.1", False),
        ("mqtt.factory.example:1883", "mqtt.factory.example", 1883, "10.0.0.1", True),
        ("mqtt.factory.example:1883", "mqtt.factory.example", 22, "10.0.0.1", False),
        ("10.20.0.0/16", "any.example", 80, "10.20.7.7", True),
        ("10.20.0.0/16", "any.example", 80, "::ffff:10.20.7.7", True),
        ("10.20.0.0/16", "any.example", 80, "10.21.0.1", False),
        ("10.20.0.5:80", "any.example", 80, "10.20.0.5", True),
        ("10.20.0.5:80", "any.example", 81, "10.20.0.5", False),
        ("[fd12::5]:8883", "any.example", 8883, "fd12::5", True),
        ("fd12::/16", "any.example", 1, "fd12::5", True),
    ],
)
async def test_an_own_network_can_be_permitted(entry: str, host: str, port: int, ip: str, permitted: bool) -> None:
    guard = Guard(allowed=[entry], resolver=answering([ip]))
    if permitted:
        assert await guard.resolve(host, port) == [(str(ip_address(ip)), port)]
    else:
        with pytest.raises(Refused):
            await guard.resolve(host, port)


@pytest.mark.parametrize("entry", ["", "10.0.0.0/40", "a b", "host:99999", "a..b", "10.0.0.1/8"])
def test_an_entry_that_means_nothing_is_refused_with_a_sentence(entry: str) -> None:
    with pytest.raises(ValueError, match=r"expected a name|is not a port"):
        Allowed([entry])


async def test_the_connection_goes_to_the_address_that_was_checked_whatever_the_name_means_by_then() -> None:
    """A name that means the permitted address when it is checked, and loopback from then on."""
    with socket.create_server(("127.0.0.2", 0)) as good, socket.create_server(("127.0.0.1", 0)) as bad:
        port = good.getsockname()[1]
        guard = Guard(allowed=["127.0.0.2"], resolver=answering(["127.0.0.2"], ["127.0.0.1"]))
        with await guard.connect("rebind.example", port, 5) as connection:
            assert connection.getpeername() == ("127.0.0.2", port)
        with pytest.raises(Refused):
            await guard.connect("rebind.example", bad.getsockname()[1], 5)


async def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    with socket.create_server(("127.0.0.3", 0)) as server:
        port = server.getsockname()[1]
        guard = Guard(allowed=["127.0.0.0/8"], resolver=answering(["127.0.0.9", "127.0.0.3"]))
        with await guard.connect("two.example", port, 5) as connection:
            assert connection.getpeername() == ("127.0.0.3", port)


async def test_ipv6_is_spoken_as_well() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        port = server.getsockname()[1]
        with await Guard(allowed=["::1"]).connect("::1", port, 5) as connection:
            assert connection.getpeername()[:2] == ("::1", port)


async def test_nobody_there_is_said_and_can_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable, match="cannot be reached"):
        await Guard(enabled=False).connect("127.0.0.1", port, 5)


async def test_a_name_that_stands_for_nothing_is_said() -> None:
    with pytest.raises(Unreachable, match=r"cannot be resolved|has no addresses"):
        await Guard(resolver=answering([])).resolve("nothing.example", 80)


async def test_a_resolver_that_never_answers_is_not_waited_for() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(Unreachable, match=r"not resolved within 0\.05 s"):
        await Guard(resolver=never, within_s=0.05).resolve("slow.example", 80)


async def test_what_an_operator_chose_may_be_anywhere() -> None:
    assert await Guard().trusting().resolve("127.0.0.1", 25) == [("127.0.0.1", 25)]
