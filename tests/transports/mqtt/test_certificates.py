"""X509_CERTIFICATE credentials: who proves to TLS that it owns a certificate is that certificate's device."""

import asyncio
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from devices.services.fingerprints import sha3_hex
from tests.devices.certificates import certificate, der, pem
from tests.transports.mqtt import client5
from tests.transports.mqtt.client import Device, connect
from tests.transports.mqtt.conftest import World, from_database, serving
from tests.transports.mqtt.credentials import basic, give
from tests.transports.mqtt.recorder import until
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.front import Connection
from thingsboard.transports.mqtt.recognition import Refused


async def test_a_certificate_is_recognised_by_its_fingerprint_and_by_nothing_else(world: World) -> None:
    ours, foreign, old = certificate("ours"), certificate("foreign"), certificate("old", days=-1)

    def prepare() -> None:
        give(world, "certified", "X509_CERTIFICATE", pem(ours))
        give(world, "old", "X509_CERTIFICATE", pem(old))
        body = "".join(pem(foreign).splitlines()[1:-1])
        give(world, "impostor", "MQTT_BASIC", basic(user=sha3_hex(body)))

    await from_database(prepare)
    async with serving() as front:
        identify = front.server.broker.auth.identify
        identity = await identify("anything", "ONE", b"counts for nothing", der(ours))
        assert identity.device_id == world.devices["certified"].id
        for each, reason in ((foreign, "unknown_certificate"), (old, "expired_certificate")):
            with pytest.raises(Refused) as refused:
                await identify("client", "ONE", None, der(each))
            assert (refused.value.code, refused.value.reason) == (packets.NOT_AUTHORIZED, reason)
        fingerprint = sha3_hex("".join(pem(ours).splitlines()[1:-1]))
        for version, user in ((connect, fingerprint), (client5.connect, fingerprint)):
            device = await Device.dial(front.port)
            device.send(version(user))
            assert (await device.receive())[3] in (packets.NOT_AUTHORIZED, 0x86)


async def test_a_tls_client_is_the_device_of_its_certificate(world: World, tmp_path: Path) -> None:
    """The TLS is the test's own: whichever listener ends it, the front sees the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    ours = certificate("localhost", key=key)
    chain, secret = tmp_path / "certificate.pem", tmp_path / "key.pem"
    chain.write_text(pem(ours))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    await from_database(give, world, "certified", "X509_CERTIFICATE", pem(ours))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, secret)
    tls.load_verify_locations(chain)
    tls.verify_mode = ssl.CERT_OPTIONAL
    with_certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with_certificate.check_hostname, with_certificate.verify_mode = False, ssl.CERT_NONE
    without = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    without.check_hostname, without.verify_mode = False, ssl.CERT_NONE
    with_certificate.load_cert_chain(chain, secret)
    async with serving() as front:
        listener = await asyncio.get_running_loop().create_server(
            lambda: Connection(front.server), "127.0.0.1", 0, ssl=tls
        )
        try:
            port = listener.sockets[0].getsockname()[1]
            for context, name in ((with_certificate, "certified"), (without, "ONE")):
                device = Device(*await asyncio.open_connection("127.0.0.1", port, ssl=context))
                device.send(connect("ONE"))
                assert await device.receive() == packets.connack(packets.ACCEPTED)
                assert world.devices[name].id in front.server.devices
                await device.leave()
                await until(lambda: not front.server.connections)
        finally:
            listener.close()
