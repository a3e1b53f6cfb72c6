"""MQTT over TLS: the server proves itself, a device may show any certificate, and failures stay with their cause."""

import asyncio
import os
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.transports.mqtt.certificates import Pair, make
from tests.transports.mqtt.client import TELEMETRY, Device, connect, puback, publish
from tests.transports.mqtt.conftest import Front, World, from_database, serving
from tests.transports.mqtt.credentials import give
from tests.transports.mqtt.recorder import until
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.certificate import Certificate
from thingsboard.transports.mqtt.listeners import layered
from thingsboard.transports.mqtt.ports import Port

PUB = shutil.which("mosquitto_pub")
MQTTS = Port("mqtts", "TB_MQTT_SSL_PORT", 0, "MQTT over TLS", tls=True)


@pytest.fixture
def own(tmp_path: Path) -> Pair:
    """The server's certificate."""
    return make(tmp_path, "server")


async def certify(world: World, mine: Pair) -> None:
    """Make the device CERTIFIED, whose credentials are this certificate."""
    await from_database(give, world, "CERTIFIED", "X509_CERTIFICATE", mine.certificate_file.read_text())


@asynccontextmanager
async def secured(certificate: Certificate, **limits: Any) -> AsyncIterator[Front]:
    async with serving(**limits) as front:
        await front.server.listen(layered(MQTTS, certificate), "127.0.0.1")
        yield front


def trusting(own: Pair, client: Pair | None = None) -> ssl.SSLContext:
    """A client's context that trusts the server, with the client's own certificate when there is one."""
    context = ssl.create_default_context(cafile=str(own.certificate_file))
    if client is not None:
        context.load_cert_chain(client.certificate_file, client.key_file)
    return context


async def dial(front: Front, context: ssl.SSLContext) -> Device:
    reader, writer = await asyncio.open_connection("127.0.0.1", front.server.ports["mqtts"], ssl=context)
    return Device(reader, writer)


async def in_thread(front: Front, context: ssl.SSLContext, work: Callable[[ssl.SSLSocket], Any]) -> Any:
    """A client on a blocking socket. It can end in any way; a stream of the loop would wait for a goodbye."""

    def run() -> Any:
        with socket.create_connection(("127.0.0.1", front.server.ports["mqtts"]), 10) as raw:
            raw.settimeout(10)
            with context.wrap_socket(raw, server_hostname="127.0.0.1") as client:
                return work(client)

    return await asyncio.to_thread(run)


async def enter(front: Front, context: ssl.SSLContext, token: str = "ONE") -> Device:
    device = await dial(front, context)
    device.send(connect(token))
    assert await device.receive() == packets.connack(packets.ACCEPTED)
    return device


async def mosquitto_pub(front: Front, own: Pair, *more: str) -> tuple[int | None, bytes]:
    assert PUB, "mosquitto_pub is missing: apt-get install mosquitto-clients"
    process = await asyncio.create_subprocess_exec(
        PUB, "-d", "-q", "1", "-h", "127.0.0.1", "-p", str(front.server.ports["mqtts"]), "--cafile",
        str(own.certificate_file), "-t", TELEMETRY, "-m", '{"a":1}', *more,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, said


async def test_mosquitto_publishes_with_and_without_a_certificate_of_its_own(
    world: World, own: Pair, tmp_path: Path
) -> None:
    mine = make(tmp_path, "device")
    await certify(world, mine)
    async with secured(Certificate(own.certificate_file, own.key_file)) as front:
        for more in (("-u", "ONE"), ("--cert", str(mine.certificate_file), "--key", str(mine.key_file))):
            code, said = await mosquitto_pub(front, own, *more)
            assert code == 0, said
            assert b"received PUBACK" in said
        assert front.ingest.payloads == [b'{"a":1}'] * 2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("kind", ["self-signed", "of an authority that we do not know"])
async def test_any_certificate_of_a_client_passes_and_is_there_to_be_looked_up(
    world: World, own: Pair, tmp_path: Path, version: ssl.TLSVersion, kind: str
) -> None:
    authority = None if kind == "self-signed" else make(tmp_path, "authority")
    mine = make(tmp_path, "device", issuer=authority)
    await certify(world, mine)
    context = trusting(own, mine)
    context.minimum_version = context.maximum_version = version
    async with secured(Certificate(own.certificate_file, own.key_file)) as front:
        stranger = await dial(front, trusting(own, make(tmp_path, "stranger")))
        stranger.send(connect("ONE"))
        assert await stranger.receive() == packets.connack(packets.NOT_AUTHORIZED)
        await enter(front, context, "whatever")
        await enter(front, trusting(own), "TWO")
        shown = {
            token: front.server.devices[world.devices[token].id].transport.get_extra_info("ssl_object")
            for token in ("CERTIFIED", "TWO")
        }
        assert shown["CERTIFIED"].getpeercert(binary_form=True) == mine.der
        assert shown["TWO"].getpeercert(binary_form=True) is None


@pytest.mark.parametrize("days", [(-3, -1), (1, 3)], ids=["expired", "not valid yet"])
@pytest.mark.parametrize("issued", [False, True], ids=["self-signed", "issued"])
async def test_a_clients_certificate_must_be_valid_today(
    world: World, own: Pair, tmp_path: Path, days: tuple[int, int], issued: bool
) -> None:
    mine = make(tmp_path, "device", days=days, issuer=make(tmp_path, "authority") if issued else None)
    async with secured(Certificate(own.certificate_file, own.key_file)) as front:
        with pytest.raises(ssl.SSLError, match="alert"):  # in TLS 1.3 the client learns of it when it reads
            await in_thread(front, trusting(own, mine), lambda client: client.recv(1))
        assert front.counted("tls_certificate") == 1
        await until(lambda: not front.server.connections)


async def test_old_versions_and_strangers_are_counted_and_nothing_is_logged(
    world: World, own: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    async with secured(Certificate(own.certificate_file, own.key_file)) as front:
        plain = await Device.dial(front.server.ports["mqtts"])
        plain.send(connect("ONE"))
        await plain.reader.read()  # an alert
        old = trusting(own)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
        old.set_ciphers("AES128-SHA:@SECLEVEL=0")  # RSA key exchange, for which there is no key here
        with pytest.raises(ssl.SSLError, match="alert"):
            await in_thread(front, old, lambda client: client.recv(1))
        assert front.counted("tls_handshake") == 2
        await until(lambda: not front.server.connections)
    assert not caplog.records


async def test_a_handshake_has_the_time_of_a_connect_and_takes_a_place_meanwhile(world: World, own: Pair) -> None:
    async with secured(
        Certificate(own.certificate_file, own.key_file), connect_timeout=0.2, max_connections=1
    ) as front:
        silent = await Device.dial(front.server.ports["mqtts"])
        await until(lambda: len(front.server.connections) == 1)
        too_many = await Device.dial(front.port)
        assert await too_many.closed()
        assert front.counted("too_many_connections") == 1
        assert await silent.closed()
        assert front.counted("connect_timeout") == 1


async def test_large_and_many_packets_pass_in_any_cut(world: World, own: Pair) -> None:
    async with secured(Certificate(own.certificate_file, own.key_file)) as front:
        device = await enter(front, trusting(own))
        payloads = [bytes((65 + n % 26,)) * (1 + n * 331 % 60_000) for n in range(200)]
        for number, payload in enumerate(payloads, 1):
            device.send(publish(payload, number))
        for number in range(1, len(payloads) + 1):
            assert await device.receive() == puback(number)
        assert front.ingest.payloads == payloads
        device.send(b"\xc0\x00" * 1000)
        assert [await device.receive() for _ in range(1000)] == [packets.PINGRESP] * 1000


async def test_a_cut_or_forged_record_ends_the_connection_alone(world: World, own: Pair) -> None:
    async with secured(Certificate(own.certificate_file, own.key_file)) as front:
        other = await enter(front, trusting(own), "TWO")

        def forge(client: ssl.SSLSocket) -> None:
            client.send(connect("ONE"))
            assert client.recv(4) == packets.connack(packets.ACCEPTED)
            with socket.socket(fileno=os.dup(client.fileno())) as raw:
                raw.send(b"\x17\x03\x03\x00\x20" + b"x" * 32)
            client.recv(1)

        with pytest.raises(ssl.SSLError, match="alert"):
            await in_thread(front, trusting(own), forge)
        assert front.counted("tls_record") == 1
        other.send(publish(b"{}", 1))
        assert await other.receive() == puback(1)


async def test_both_sides_say_goodbye_as_tls_wants_it(world: World, own: Pair) -> None:
    async with secured(Certificate(own.certificate_file, own.key_file)) as front:
        device = await enter(front, trusting(own))
        front.server.devices[world.devices["ONE"].id].close("shutdown")
        assert await device.reader.read() == b""  # a cut would be an SSLError
        leaving = await enter(front, trusting(own))
        await leaving.leave()
        await until(lambda: not front.server.connections)


async def test_who_never_reads_is_cut(world: World, own: Pair) -> None:
    async with secured(Certificate(own.certificate_file, own.key_file), write_buffer=4096) as front:

        def pour(client: ssl.SSLSocket) -> None:
            client.send(connect("ONE"))
            while True:
                client.send(b"\xc0\x00" * 8_000)

        with pytest.raises((ssl.SSLError, ConnectionError)):
            await in_thread(front, trusting(own), pour)
        assert front.counted("slow_consumer") == 1


async def test_a_renewed_certificate_is_served_without_a_restart_and_a_broken_one_is_not(
    world: World, own: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    (tmp_path / "later").mkdir()
    later = make(tmp_path / "later", "server")
    certificate = Certificate(own.certificate_file, own.key_file, recheck=10, clock=lambda: now[0])

    async def served(front: Front) -> bytes | None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return bytes(await in_thread(front, context, lambda client: client.getpeercert(binary_form=True)))

    async with secured(certificate) as front:
        before, staying = own.der, await enter(front, trusting(own))
        own.certificate_file.write_bytes(later.certificate_file.read_bytes())  # the key is still to come
        assert await served(front) == before
        now[0] = 11
        assert await served(front) == before
        assert "is not the key of" in caplog.text
        own.key_file.write_bytes(later.key_file.read_bytes())
        now[0] = 22
        assert await served(front) == later.der
        staying.send(publish(b"{}", 1))
        assert await staying.receive() == puback(1)
