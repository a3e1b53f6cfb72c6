"""Every way to sign in (compat/device_transports.md 2.1), what is answered to who may not, and what ends a session."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from django.db import connections

from devices.models import DeviceCredentials, DeviceProfile
from devices.services.credentials import CREDENTIALS_CHANGED, lookup_of, update_credentials
from devices.services.fingerprints import sha3_hex
from tests.transports.mqtt import client5
from tests.transports.mqtt.client import TELEMETRY, Device, connect, puback, publish
from tests.transports.mqtt.conftest import Front, World, from_database, serving
from tests.transports.mqtt.credentials import basic, give
from tests.transports.mqtt.recorder import until
from tests.transports.mqtt.test_end_to_end import latest, platform
from thingsboard.kernel import bus
from thingsboard.kernel.secrets import encrypt
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.revocation import recheck, watch

PUB = shutil.which("mosquitto_pub")


@pytest.fixture
def known(world: World) -> World:
    """A device for every combination of MQTT_BASIC, and one with a certificate; ONE has an access token."""
    for name, *parts in (
        ("user", "", "user"),
        ("user+password", "", "user2", "secret"),
        ("client", "client"),
        ("client+user", "client", "user3"),
        ("all", "client", "user4", "secret"),
        ("like a token", "client5", "ONE", "secret"),  # with client5 this one is meant, else the token
    ):
        give(world, name, "MQTT_BASIC", basic(*parts))
    return world


ANY = "anything"
NO, ID, BAD = 0x87, 0x85, 0x86  # MQTT 5: not authorized; client id not valid; bad user name or password
IN_311 = {0: 0, NO: packets.NOT_AUTHORIZED, ID: packets.BAD_IDENTIFIER, BAD: packets.NOT_AUTHORIZED}

# Client id, user name, password, and the device that is let in or the answer of MQTT 5.
SIGN_INS = [
    (ANY, "ONE", None, "ONE"),
    (ANY, "ONE", "any password", "ONE"),
    ("", "ONE", None, "ONE"),
    ("client5", "ONE", "secret", "like a token"),
    ("client5", "ONE", "wrong", BAD),  # a wrong password is final
    ("client5", "ONE", None, BAD),
    (ANY, "user", None, "user"),
    ("", "user", None, "user"),
    (ANY, "user", "no password is asked for", "user"),
    (ANY, "user2", "secret", "user+password"),
    (ANY, "user2", "wrong", BAD),
    (ANY, "user2", "", BAD),
    (ANY, "user2", None, BAD),
    ("client", None, None, "client"),
    ("client", "", None, "client"),
    ("client", "user3", None, "client+user"),
    ("other", "user3", None, BAD),
    ("client", "other", None, BAD),
    ("client", "user4", "secret", "all"),
    ("client", "user4", "Secret", BAD),
    ("client", "user4", None, BAD),
    ("", "user4", "secret", BAD),
    ("client", "user2", "secret", "user+password"),  # the client id counts for nothing there
    ("client|user4", None, None, ID),  # the same hash as that of both, other names
    (ANY, None, None, ID),
    ("", None, None, NO),
    (ANY, "", None, BAD),
    ("", "", None, BAD),
    ("", "", "secret", BAD),
    (ANY, sha3_hex("client"), None, BAD),  # the hash is no name
    (ANY, sha3_hex("client", "user4"), "secret", BAD),
]


@pytest.mark.parametrize("five", [False, True], ids=["3.1.1", "5"])
async def test_who_is_let_in_as_which_device_and_what_the_others_are_told(known: World, five: bool) -> None:
    async with serving() as front:
        for client_id, user, password, expected in SIGN_INS:
            if not five:
                first = connect(user, client_id, password=password)
            else:
                secret = None if password is None else password.encode()
                first = client5.connect(user, client_id, password=secret)
            device = await Device.dial(front.port)
            device.send(first)
            answer = await device.receive()
            case = (client_id, user, password, answer)
            code = expected if isinstance(expected, int) else 0
            assert answer[3] == (code if five else IN_311[code]), case
            if isinstance(expected, str):
                assert known.devices[expected].id in front.server.devices, case
                device.send(client5.publish(b"x", 1) if five else publish(b"x", 1))
                assert (await device.receive())[:1] == b"\x40"
                assert front.ingest.sink.stored[-1].session.device_id == known.devices[expected].id, case
            else:
                assert await device.closed()
            await device.leave()
            await until(lambda: not front.server.connections)


async def test_a_password_without_a_user_name_is_refused_where_the_version_allows_it(known: World) -> None:
    async with serving() as front:
        for client_id in ("client", ANY):
            device = await Device.dial(front.port)
            device.send(client5.connect(None, client_id, password=b"secret"))
            code = (await device.receive())[3]
            assert code == (0 if client_id == "client" else BAD)


async def test_both_look_ups_of_a_connect_are_one_query(known: World) -> None:
    async with serving() as front:
        await Device.enter(front.port, "user")
        assert front.server.broker.auth.tokens.queries == 1


async def test_a_device_of_another_transport_and_a_silent_database_are_told_to_come_back(
    known: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def move() -> None:
        profile = DeviceProfile.objects.create(tenant=known.profile.tenant, name="COAP", transport_type="COAP")
        known.devices["user"].profile = profile
        known.devices["user"].save()

    await from_database(move)
    async with serving() as front:
        for first, refusal in (
            (connect("user"), packets.connack(packets.UNAVAILABLE)),
            (client5.connect("user"), b"\x20\x03\x00\x88\x00"),
        ):
            device = await Device.dial(front.port)
            device.send(first)
            assert await device.receive() == refusal
        assert front.counted("transport_type") == 2
        with monkeypatch.context() as moved:
            moved.setitem(connections["default"].settings_dict, "HOST", "/nowhere")
            front.server.broker.auth.tokens.clear()
            await front.server.broker.auth.directory.close()
            device = await Device.dial(front.port)
            device.send(client5.connect("user2", password=b"secret"))
            assert await device.receive() == b"\x20\x03\x00\x88\x00"
        assert front.counted("database") == 1


async def test_credentials_that_cannot_be_decrypted_disturb_nobody_else(known: World) -> None:
    broken = {"encrypted_value": encrypt("x")[:-4] + b"AAA="}
    device = known.devices["user"]
    await from_database(lambda: DeviceCredentials.objects.filter(device=device).update(**broken))
    async with serving() as front:
        refused, other = await Device.dial(front.port), await Device.dial(front.port)
        refused.send(connect("user"))
        other.send(connect("user2", password="secret"))
        assert await refused.receive() == packets.connack(packets.UNAVAILABLE)
        assert await other.receive() == packets.connack(packets.ACCEPTED)


# What ends a session.


@asynccontextmanager
async def watched(world: World) -> AsyncIterator[Front]:
    """A server that hears of changed credentials over the bus, as the mqtt process does."""
    async with serving() as front:
        watcher = asyncio.create_task(watch(front.server))
        probe = await Device.enter(front.port, "TWO")
        change = {"deviceId": str(world.devices["TWO"].id), "lookup": lookup_of("TWO").hex()}
        async with asyncio.timeout(10):
            while not front.counted("credentials"):
                await asyncio.to_thread(bus.publish, CREDENTIALS_CHANGED, change)
        assert await probe.closed()
        try:
            yield front
        finally:
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher


def new_password(world: World) -> None:
    device = world.devices["user+password"]
    update_credentials(device, "MQTT_BASIC", credentials_value=basic("", "user2", "secret2"))


async def test_a_new_password_alone_ends_the_session_and_the_old_one_is_refused_at_once(known: World) -> None:
    async with watched(known) as front:
        device = await Device.dial(front.port)
        device.send(client5.connect("user2", password=b"secret"))
        assert (await device.receive())[3] == 0
        await from_database(new_password, known)
        assert await device.receive() == client5.disconnected(0x87)
        assert await device.closed()
        asked = front.server.broker.auth.tokens.queries
        old, new = await Device.dial(front.port), await Device.dial(front.port)
        old.send(connect("user2", password="secret"))
        assert await old.receive() == packets.connack(packets.NOT_AUTHORIZED)
        new.send(connect("user2", password="secret2"))
        assert await new.receive() == packets.connack(packets.ACCEPTED)
        assert front.server.broker.auth.tokens.queries == asked + 1


async def test_a_new_password_ends_the_session_even_when_nobody_says_so(known: World) -> None:
    async with serving() as front:
        device, other = await Device.dial(front.port), await Device.enter(front.port, "ONE")
        device.send(connect("user2", password="secret"))
        assert await device.receive() == packets.connack(packets.ACCEPTED)
        await recheck(front.server)
        assert len(front.server.devices) == 2
        await from_database(new_password, known)
        await recheck(front.server)
        assert await device.closed()
        other.send(publish(b"x", 1))
        assert await other.receive() == puback(1)


# An unmodified client.


@pytest.mark.skipif(PUB is None, reason="mosquitto_pub is not installed")
@pytest.mark.parametrize("version", ["311", "5"])
async def test_mosquitto_pub_signs_in_every_way(known: World, version: str) -> None:
    async def run(port: int, key: str, *arguments: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            str(PUB), "-V", version, "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", TELEMETRY,
            "-m", json.dumps({key: 1}), *arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(10):
            said, _ = await process.communicate()
        return process.returncode, said.decode()

    async with platform() as server:
        for name, arguments in (
            ("ONE", ("-u", "ONE")),
            ("user", ("-u", "user", "-i", ANY)),
            ("user+password", ("-u", "user2", "-P", "secret")),
            ("client", ("-i", "client")),
            ("client+user", ("-i", "client", "-u", "user3")),
            ("all", ("-i", "client", "-u", "user4", "-P", "secret")),
            ("like a token", ("-i", "client5", "-u", "ONE", "-P", "secret")),
        ):
            assert await run(server.port, "k", *arguments) == (0, ""), name
            assert await latest(known, name) == {"k": 1}, name
        for arguments in (("-u", "user2", "-P", "wrong"), ("-i", "nobody"), ("-u", "user3", "-i", "other")):
            code, said = await run(server.port, "k", *arguments)
            assert code, said
            assert said
