"""Every kind of credentials through the REST API: what is stored, what is refused, who may."""

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509 import Certificate
from django.db import connection

from devices.models import Device, DeviceCredentials
from devices.services.credentials import update_credentials
from devices.services.identity import LOOKUP_SQL, DeviceIdentity, identities, lookup_of
from devices.services.mqtt_basic import Verdict
from tests.cast import Cast, api, create, error
from tests.devices.certificates import certificate, pem


def sha3(text: str) -> str:
    return hashlib.sha3_256(text.encode()).hexdigest()


def named(value: Any) -> str:
    """A name for a case that is the same in every process: certificates are made anew in each."""
    return value if isinstance(value, str) and len(value) < 64 else "value"


def device_id(device: Device) -> dict[str, str]:
    return {"entityType": "DEVICE", "id": str(device.pk)}


def change(cast: Cast, kind: str, value: Any = None, *, user: Any = None, device: Device | None = None) -> Any:
    """POST credentials; a value that is no text is sent as JSON text."""
    text = value if value is None or isinstance(value, str) else json.dumps(value)
    body = {
        "deviceId": device_id(device or cast.device),
        "credentialsType": kind,
        "credentialsId": "counts for nothing",
        "credentialsValue": text,
    }
    return api(user or cast.alice).post("/api/device/credentials", body, format="json")


def look_up(*ids: str) -> dict[bytes, DeviceIdentity]:
    with connection.cursor() as cursor:
        cursor.execute(LOOKUP_SQL, [[lookup_of(each) for each in ids]])
        return identities(cursor.fetchall())


@pytest.mark.parametrize(
    ("given", "found_by", "stored"),
    [
        ({"userName": "u"}, "u", '{"clientId":null,"userName":"u","password":null}'),
        ({"userName": "u", "password": "p"}, "u", '{"clientId":null,"userName":"u","password":"p"}'),
        ({"clientId": "c"}, sha3("c"), '{"clientId":"c","userName":null,"password":null}'),
        ({"clientId": "c", "userName": "", "password": ""}, sha3("c"), None),
        ({"clientId": "c", "userName": "u"}, sha3("c|u"), None),
        ({"clientId": "c", "userName": "u", "password": "p"}, sha3("c|u"), None),
        ({"userName": "devices", "password": " a/b "}, "devices", None),  # reserved for tokens, which stand in paths
        ({"userName": "ä" * 1024}, "ä" * 1024, None),
    ],
)
def test_mqtt_basic_is_found_as_thingsboard_finds_it(
    cast: Cast, given: dict[str, str], found_by: str, stored: str | None
) -> None:
    answer = change(cast, "MQTT_BASIC", given)
    assert answer.status_code == 200, answer.json()
    assert answer.json()["credentialsId"] == found_by
    assert answer.json()["version"] == 2
    read = api(cast.alice).get(f"/api/device/{cast.device.pk}/credentials").json()
    assert read == answer.json()
    assert read["credentialsType"] == "MQTT_BASIC"
    assert {name: value for name, value in json.loads(read["credentialsValue"]).items() if value} == {
        name: value for name, value in given.items() if value
    }
    assert stored is None or read["credentialsValue"] == stored
    assert set(look_up(found_by, "acme-meter")) == {lookup_of(found_by)}


def test_nothing_of_a_credential_is_in_the_database_in_the_clear(cast: Cast) -> None:
    change(cast, "MQTT_BASIC", {"clientId": "the-client", "userName": "the-user", "password": "the-password"})
    row = DeviceCredentials.objects.values_list("lookup", "encrypted_id", "encrypted_value").get(device=cast.device)
    for secret in (b"the-client", b"the-user", b"the-password", sha3("the-client|the-user").encode()):
        assert not any(secret in bytes(column) for column in row)


def test_what_a_transport_remembers_verifies_without_the_password_in_the_clear(cast: Cast) -> None:
    change(cast, "MQTT_BASIC", {"userName": "u", "password": "the-password"})
    found = look_up("u")[lookup_of("u")]
    assert found.proof is not None
    assert found.proof.verify("any", "u", b"the-password") is Verdict.VALID
    assert found.proof.verify("any", "u", b"other") is Verdict.WRONG_PASSWORD
    assert found.proof.verify("any", "u", b"") is Verdict.WRONG_PASSWORD
    assert found.proof.verify("any", "v", b"the-password") is Verdict.OTHER_NAME
    kept = [getattr(found.proof, name) for name in found.proof.__slots__]
    assert b"the-password" not in repr(kept).encode() and kept.count(None) == 1
    change(cast, "ACCESS_TOKEN")
    assert look_up("acme-meter") == {}


def bare(certificate: Certificate) -> str:
    return "".join(pem(certificate).splitlines()[1:-1])


def with_carriage_returns(certificate: Certificate) -> str:
    return pem(certificate).replace("\n", "\r\n")


@pytest.mark.parametrize("as_text", [pem, bare, with_carriage_returns])
def test_a_certificate_is_found_by_its_fingerprint_however_it_was_pasted(cast: Cast, as_text: Any) -> None:
    ours = certificate()
    body = bare(ours)
    answer = change(cast, "X509_CERTIFICATE", as_text(ours)).json()
    assert (answer["credentialsId"], answer["credentialsValue"]) == (sha3(body), body)
    assert set(look_up(sha3(body))) == {lookup_of(sha3(body))}


KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
OPEN = {"securityMode": "NO_SEC"}
CERTIFICATE = certificate(key=KEY)


def lwm2m(client: Any, server: Any = OPEN) -> dict[str, Any]:
    return {"client": client, "bootstrap": {"bootstrapServer": OPEN, "lwm2mServer": server}}


@pytest.mark.parametrize(
    ("client", "server", "found_by"),
    [
        ({"securityConfigClientMode": "NO_SEC", "endpoint": "e"}, OPEN, "e"),
        (
            {"securityConfigClientMode": "PSK", "endpoint": "e", "identity": "i", "key": "a" * 32},
            {"securityMode": "PSK", "clientPublicKeyOrId": "i", "clientSecretKey": "b" * 64},
            "i",
        ),
        (
            {"securityConfigClientMode": "RPK", "endpoint": "e", "key": PUBLIC},
            {"securityMode": "RPK", "clientPublicKeyOrId": PUBLIC, "clientSecretKey": PRIVATE},
            "e",
        ),
        (
            {"securityConfigClientMode": "X509", "endpoint": "e", "cert": pem(CERTIFICATE)},
            {"securityMode": "X509", "clientPublicKeyOrId": pem(CERTIFICATE), "clientSecretKey": PRIVATE},
            sha3(bare(CERTIFICATE)),
        ),
        ({"securityConfigClientMode": "X509", "endpoint": "e"}, OPEN, "e"),
    ],
    ids=named,
)
def test_lwm2m_credentials_are_checked_and_kept(cast: Cast, client: Any, server: Any, found_by: str) -> None:
    answer = change(cast, "LWM2M_CREDENTIALS", lwm2m(client, server))
    assert answer.status_code == 200, answer.json()
    assert answer.json()["credentialsId"] == found_by
    assert json.loads(answer.json()["credentialsValue"]) == lwm2m(client, server)


BASIC = "Invalid credentials body for simple mqtt credentials!"
BAD_PSK = {"securityConfigClientMode": "PSK", "endpoint": "e", "identity": "i"}


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        ("MQTT_BASIC", None, BASIC),
        ("MQTT_BASIC", "{", BASIC),
        ("MQTT_BASIC", [], BASIC),
        ("MQTT_BASIC", {"username": "u"}, "Unknown member 'username'"),
        ("MQTT_BASIC", {"userName": 7}, "'userName' is not a text"),
        ("MQTT_BASIC", {"userName": "a\0b"}, "NUL"),
        ("MQTT_BASIC", '{"userName":"\\ud800"}', BASIC),
        ("MQTT_BASIC", {"userName": "ä" * 1025}, "2050 bytes; expected at most 2048"),
        ("MQTT_BASIC", {}, "Both mqtt client id and user name are empty!"),
        ("MQTT_BASIC", {"password": "p"}, "Both mqtt client id and user name are empty!"),
        ("MQTT_BASIC", {"clientId": "c", "password": "p"}, "Password cannot be specified along with client id"),
        ("MQTT_BASIC", {"userName": "provision"}, "reserved word"),
        ("MQTT_BASIC", {"clientId": "provision", "userName": "u"}, "reserved word"),
        ("X509_CERTIFICATE", None, "The certificate is missing"),
        ("X509_CERTIFICATE", "not a certificate", "not an X.509 certificate"),
        ("X509_CERTIFICATE", "bm90IGEgY2VydGlmaWNhdGU=", "not an X.509 certificate"),
        ("X509_CERTIFICATE", pem(CERTIFICATE)[:200], "not an X.509 certificate"),
        ("X509_CERTIFICATE", PRIVATE, "not an X.509 certificate"),
        ("X509_CERTIFICATE", pem(CERTIFICATE) * 2, "not a chain"),
        ("X509_CERTIFICATE", "A" * 20_000, "expected at most 16384"),
        ("LWM2M_CREDENTIALS", None, "Invalid credentials body for LwM2M credentials!"),
        ("LWM2M_CREDENTIALS", "null", "LwM2M credentials must be specified!"),
        ("LWM2M_CREDENTIALS", "[]", "Invalid credentials body"),
        ("LWM2M_CREDENTIALS", {}, "LwM2M client credentials must be specified!"),
        ("LWM2M_CREDENTIALS", lwm2m({"securityConfigClientMode": "NO_SEC"}), "LwM2M client endpoint must be"),
        ("LWM2M_CREDENTIALS", lwm2m({"securityConfigClientMode": "X", "endpoint": "e"}), "must be one of NO_SEC"),
        ("LWM2M_CREDENTIALS", lwm2m({"securityConfigClientMode": "PSK", "endpoint": "e"}), "PSK identity"),
        ("LWM2M_CREDENTIALS", lwm2m(BAD_PSK), "PSK key must be specified!"),
        ("LWM2M_CREDENTIALS", lwm2m(BAD_PSK | {"key": "xyz"}), "hex encoding"),
        ("LWM2M_CREDENTIALS", lwm2m(BAD_PSK | {"key": "abc"}), "length = 3"),
        ("LWM2M_CREDENTIALS", lwm2m(BAD_PSK | {"identity": "NO_SEC"}), "must not be 'NO_SEC'"),
        ("LWM2M_CREDENTIALS", lwm2m({"securityConfigClientMode": "RPK", "endpoint": "e", "key": "eA=="}), "RFC7250"),
        (
            "LWM2M_CREDENTIALS",
            {"client": {"securityConfigClientMode": "NO_SEC", "endpoint": "e"}},
            "LwM2M bootstrap credentials must be specified!",
        ),
        (
            "LWM2M_CREDENTIALS",
            lwm2m(
                {"securityConfigClientMode": "NO_SEC", "endpoint": "e"},
                {"securityMode": "X509", "clientPublicKeyOrId": pem(CERTIFICATE), "clientSecretKey": "eA=="},
            ),
            "PKCS#8",
        ),
    ],
    ids=named,
)
def test_what_cannot_be_credentials_is_refused_and_changes_nothing(
    cast: Cast, kind: str, value: Any, says: str
) -> None:
    answer = change(cast, kind, value)
    assert error(answer) == (400, 31)
    assert says in answer.json()["message"]
    assert set(look_up("acme-meter")) == {lookup_of("acme-meter")}


def test_credentials_are_unique_on_the_platform_whatever_their_kind(cast: Cast) -> None:
    basic = {"clientId": "c", "userName": "u", "password": "ours"}
    assert change(cast, "MQTT_BASIC", basic).status_code == 200
    theirs = {"user": cast.gina, "device": cast.foreign_device}
    for value in (basic, basic | {"password": "theirs"}, {"clientId": "c|u"}, {"userName": sha3("c|u")}):
        answer = change(cast, "MQTT_BASIC", value, **theirs)
        assert error(answer) == (400, 31)
        assert answer.json()["message"] == "Device credentials are already assigned to another device!"
    answer = change(cast, "MQTT_BASIC", {"userName": "globex-meter", "password": "p"})
    assert theirs and error(answer) == (400, 31)  # it is a token already
    body = {
        "device": {"name": "N"},
        "credentials": {"credentialsType": "MQTT_BASIC", "credentialsValue": json.dumps(basic)},
    }
    assert error(create(api(cast.gina), "/api/device-with-credentials", **body)) == (400, 31)
    assert not Device.objects.filter(name="N").exists()


def test_the_credentials_of_another_tenants_device_are_not_found(cast: Cast) -> None:
    answer = change(cast, "MQTT_BASIC", {"userName": "u"}, device=cast.foreign_device)
    assert error(answer) == (404, 32)
    assert error(api(cast.alice).get(f"/api/device/{cast.foreign_device.pk}/credentials")) == (404, 32)
    assert error(change(cast, "MQTT_BASIC", {"userName": "u"}, user=cast.bob, device=cast.bobs_device)) == (403, 20)
    assert look_up("u") == {}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("MQTT_BASIC", '{"clientId":"c","userName":"u","password":"p"}'),
        ("X509_CERTIFICATE", pem(CERTIFICATE)),
        ("LWM2M_CREDENTIALS", json.dumps(lwm2m({"securityConfigClientMode": "NO_SEC", "endpoint": "e"}))),
        ("ACCESS_TOKEN", None),
    ],
    ids=named,
)
def test_a_device_is_made_and_replaced_together_with_credentials_of_any_kind(cast: Cast, kind: str, value: Any) -> None:
    client, path = api(cast.alice), "/api/device-with-credentials"
    credentials = {
        "credentialsType": kind,
        "credentialsId": "tok" if value is None else None,
        "credentialsValue": value,
    }
    made = create(client, path, device={"name": "P"}, credentials=credentials).json()
    first = client.get(f"/api/device/{made['id']['id']}/credentials").json()
    assert first["credentialsType"] == kind
    create(client, path, device=made, credentials={})
    assert client.get(f"/api/device/{made['id']['id']}/credentials").json() == first
    again = create(client, path, device=made | {"version": None}, credentials=first)  # nothing differs
    assert again.status_code == 200
    assert client.get(f"/api/device/{made['id']['id']}/credentials").json() == first
    basic = {"credentialsType": "MQTT_BASIC", "credentialsValue": '{"userName":"new"}'}
    assert create(client, path, device=made | {"version": None}, credentials=basic).status_code == 200
    assert client.get(f"/api/device/{made['id']['id']}/credentials").json()["credentialsId"] == "new"
    broken = basic | {"credentialsValue": "{}"}
    assert error(create(client, path, device={"id": made["id"], "name": "R"}, credentials=broken)) == (400, 31)
    assert not Device.objects.filter(name="R").exists()


def test_a_password_alone_is_a_change_and_what_is_there_already_is_none(
    cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    device = cast.device

    def save(password: str) -> int:
        value = json.dumps({"userName": "u", "password": password})
        with django_capture_on_commit_callbacks() as callbacks:
            update_credentials(device, "MQTT_BASIC", credentials_value=value)
        return len(callbacks)

    assert [save(password) for password in ("one", "two", "two")] == [1, 1, 0]
    assert look_up("u")[lookup_of("u")].version == 3
