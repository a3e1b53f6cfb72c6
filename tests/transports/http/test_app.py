"""What the device API answers, over the real store."""

import asyncio
from typing import Any

import httpx
import orjson
import pytest
from django.conf import settings

from devices.services.credentials import CREDENTIALS_CHANGED, lookup_of, update_credentials
from telemetry import services
from telemetry.models import TsKv
from telemetry.points import Scope
from tests.transports.http.conftest import Door, World, from_database, serving
from tests.transports.mqtt.test_end_to_end import BAD
from thingsboard.kernel import bus


async def latest(world: World, token: str) -> dict[str, Any]:
    points = await from_database(services.latest, world.devices[token].id)
    return {key: point.value for key, point in points.items()}


def done(response: httpx.Response) -> bool:
    return (response.status_code, response.content) == (200, b"")


async def test_an_acknowledged_value_is_stored_and_readable(world: World) -> None:
    async with serving() as door:
        assert done(await door.post("ONE/telemetry", b'{"temperature":25.5,"on":true}'))
        assert await latest(world, "ONE") == {"temperature": 25.5, "on": True}
        assert await latest(world, "TWO") == {}


async def test_every_form_of_telemetry_is_taken_whatever_the_content_type(world: World) -> None:
    async with serving() as door:
        for body in (
            b'{"a":1}',
            b'{"ts":1000,"values":{"a":2}}',
            b'[{"a":3},{"ts":2000,"values":{"a":4}}]',
            b'{"a":null}',
        ):
            assert done(await door.post("ONE/telemetry", body, headers={"content-type": "text/plain"}))
        rows = await from_database(lambda: list(TsKv.objects.filter(entity_id=world.devices["ONE"].id).order_by("ts")))
        assert [row.long_v for row in rows] == [2, 4, 1, 3]


async def test_requests_of_one_device_at_once_never_share_a_time_stamp(world: World) -> None:
    async with serving() as door:
        responses = await asyncio.gather(*(door.post("ONE/telemetry", b'{"n":%d}' % n) for n in range(300)))
        assert all(map(done, responses))
        assert await from_database(TsKv.objects.filter(entity_id=world.devices["ONE"].id).count) == 300


async def test_attributes_are_written_and_read_by_group_and_key(world: World) -> None:
    device = world.devices["ONE"]

    def shared() -> None:
        values: dict[str, Any] = {"fw": "1.2", "limit": 5}
        services.save_attributes(device.tenant_id, device.id, Scope.SHARED, values)
        services.save_attributes(device.tenant_id, device.id, Scope.SERVER, {"secret": 1})

    async with serving() as door:
        assert (await door.get("ONE/attributes")).json() == {}
        assert done(await door.post("ONE/attributes", b'{"serial":"A1","map":{"x":[1.50]}}'))
        await from_database(shared)
        client = {"serial": "A1", "map": {"x": [1.5]}}
        everything = await door.get("ONE/attributes")
        assert everything.json() == {"client": client, "shared": {"fw": "1.2", "limit": 5}}
        assert everything.headers["content-type"] == "application/json"
        for query, expected in {
            "clientKeys=serial,none&sharedKeys=limit": {"client": {"serial": "A1"}, "shared": {"limit": 5}},
            "clientKeys=serial": {"client": {"serial": "A1"}},
            "sharedKeys=secret,serial": {},
            "clientKeys=&sharedKeys=": everything.json(),
            "clientKeys=a%00b": everything.json(),
        }.items():
            assert (await door.get(f"ONE/attributes?{query}")).json() == expected, query
        assert (await door.get("TWO/attributes")).json() == {}
        assert (await door.get("STRANGER/attributes")).json() == {}


@pytest.mark.parametrize("token", ["nobody", "%00", "%ff", "x" * 500])
async def test_a_wrong_token_is_401_with_an_empty_body(world: World, token: str) -> None:
    async with serving() as door:
        for response in (await door.post(f"{token}/telemetry", b'{"a":1}'), await door.get(f"{token}/attributes")):
            assert (response.status_code, response.content) == (401, b"")


@pytest.mark.parametrize("what", BAD)
async def test_bad_data_is_refused_with_a_sentence_and_nobody_else_notices(world: World, what: str) -> None:
    async with serving() as door:
        bad, good = await asyncio.gather(door.post("ONE/telemetry", BAD[what]), door.post("TWO/telemetry", b'{"a":1}'))
        assert bad.status_code == 500
        assert bad.headers["content-type"].startswith("text/plain") and bad.text.endswith((".", ")"))
        assert done(good)
        assert await latest(world, "ONE") == {}


async def test_a_tenant_without_keys_left_gets_429(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TB_MAX_KEYS_PER_TENANT", 2)
    async with serving() as door:
        assert done(await door.post("ONE/telemetry", b'{"a":1,"b":2}'))
        refused = await door.post("ONE/telemetry", b'{"c":1}')
        assert refused.status_code == 429 and "may use" in refused.text
        assert done(await door.post("STRANGER/telemetry", b'{"c":1}'))


async def test_a_body_above_the_limit_is_413_said_or_streamed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TB_HTTP_MAX_PAYLOAD", 1000)
    read = 0

    async def endless() -> Any:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 300

    async with serving() as door:
        assert (await door.post("ONE/telemetry", b" " * 1001)).status_code == 413
        response = await door.client.post("/api/v1/ONE/telemetry", content=endless())
        assert response.status_code == 413 and "1000 bytes" in response.text
        assert read <= 5
        assert done(await door.post("ONE/telemetry", b'{"a":1}'.ljust(1000)))


async def test_a_method_or_a_resource_that_is_not_there_is_said_so(world: World) -> None:
    async with serving() as door:
        for method, path, allow in (
            ("GET", "ONE/telemetry", "POST"),
            ("DELETE", "ONE/attributes", "GET, POST"),
            ("HEAD", "nobody/telemetry", "POST"),
        ):
            response = await door.client.request(method, f"/api/v1/{path}")
            assert (response.status_code, response.headers["allow"]) == (405, allow)
        for path in ("ONE", "ONE/", "ONE/telemetry/", "ONE/telemetry/x", "ONE/%74elemetries"):
            assert (await door.post(path, b"{}")).status_code == 404


async def known(door: Door, token: str, expected: int) -> None:
    async with asyncio.timeout(10):
        while (await door.post(f"{token}/telemetry", b'{"a":1}')).status_code != expected:
            await asyncio.sleep(0.02)


async def test_a_changed_token_is_forgotten_at_once(world: World) -> None:
    async with serving() as door:
        assert done(await door.post("ONE/telemetry", b'{"a":1}'))
        await from_database(update_credentials, world.devices["ONE"], "ACCESS_TOKEN", "NEW")
        change = {"deviceId": str(world.devices["ONE"].id), "lookup": lookup_of("ONE").hex()}
        await asyncio.to_thread(bus.publish, CREDENTIALS_CHANGED, change)
        await known(door, "ONE", 401)
        await known(door, "NEW", 200)


async def test_access_tokens_alone_are_credentials_here(world: World) -> None:
    def change() -> None:
        for name, value in (("ONE", '{"userName":"user"}'), ("TWO", '{"userName":"name","password":"secret"}')):
            update_credentials(world.devices[name], "MQTT_BASIC", credentials_value=value)

    await from_database(change)
    async with serving() as door:
        for token in ("ONE", "TWO", "user", "name"):
            response = await door.post(f"{token}/telemetry", b'{"a":1}')
            assert (response.status_code, response.content) == (401, b"")
        assert done(await door.post("STRANGER/telemetry", b'{"a":1}'))


async def test_numbers_and_texts_are_kept_as_over_mqtt(world: World) -> None:
    body = orjson.dumps({"text": "25", "long": 9007199254740993, "flag": False, "json": [1, {"a": None}]})
    async with serving() as door:
        assert done(await door.post("ONE/telemetry", body))
        assert await latest(world, "ONE") == {
            "text": 25,
            "long": 9007199254740993,
            "flag": False,
            "json": '[1,{"a":null}]',
        }
