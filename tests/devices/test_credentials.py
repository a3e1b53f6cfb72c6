"""Changing what devices prove their identity with, and how transports find and hear of it."""

import asyncio
import contextlib
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction

from devices.models import DeviceCredentials
from devices.services.credentials import CREDENTIALS_CHANGED, update_credentials
from devices.services.devices import DeviceFields, create_device, delete_device, update_device
from devices.services.identity import LOOKUP_SQL, DeviceIdentity, identities, lookup_of
from tests.cast import Cast, api, error
from thingsboard.kernel import bus
from thingsboard.kernel.errors import BadRequest


def look_up(*tokens: str) -> dict[bytes, DeviceIdentity]:
    with connection.cursor() as cursor:
        cursor.execute(LOOKUP_SQL, [[lookup_of(token) for token in tokens]])
        return identities(cursor.fetchall())


def test_many_tokens_are_looked_up_in_one_query_without_the_orm(cast: Cast) -> None:
    gateway = create_device(
        cast.globex.pk, DeviceFields(name="G", type="hub", additional_info={"gateway": True}), token="gw"
    )
    odd = create_device(cast.acme.pk, DeviceFields(name="O", additional_info={"gateway": "no"}), token="odd")
    found = look_up("acme-meter" if cast.device else "", "gw", "odd", "nobody's")
    assert len(found) == 3
    identity = found[lookup_of("gw")]
    assert identity == DeviceIdentity(
        lookup=lookup_of("gw"),
        credentials_type="ACCESS_TOKEN",
        tenant_id=cast.globex.pk,
        device_id=gateway.pk,
        device_name="G",
        profile_id=gateway.profile_id,
        profile_name="hub",
        transport_type="DEFAULT",
        is_gateway=True,
    )
    assert (found[lookup_of("odd")].device_id, found[lookup_of("odd")].is_gateway) == (odd.pk, False)
    assert found[lookup_of("acme-meter")].is_gateway is False


def test_a_token_is_not_in_the_database_in_the_clear(cast: Cast) -> None:
    row = DeviceCredentials.objects.values_list("lookup", "encrypted_id").get(device=cast.device)
    assert not any(b"acme-meter" in bytes(value) for value in row)


def change(cast: Cast, **body: Any) -> Any:
    device_id = {"entityType": "DEVICE", "id": str(cast.device.pk)}
    body = {"deviceId": device_id, "credentialsType": "ACCESS_TOKEN", "credentialsId": "fresh", **body}
    return api(cast.alice).post("/api/device/credentials", body, format="json")


def test_a_changed_token_is_found_and_the_old_one_is_not(cast: Cast) -> None:
    answer = change(cast, version=1)
    assert (answer.status_code, answer.json()["credentialsId"], answer.json()["version"]) == (200, "fresh", 2)
    assert set(look_up("acme-meter", "fresh")) == {lookup_of("fresh")}
    assert error(change(cast, version=1)) == (409, 35)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"credentialsType": None}, "type should be specified"),
        ({"credentialsType": "PASSWORD"}, "Unknown credentialsType"),
        ({"credentialsId": ""}, "expected 1 to 32"),
        ({"credentialsId": None}, "expected 1 to 32"),
        ({"credentialsId": "globex-meter"}, "already assigned to another device"),
        ({"deviceId": None}, "should be assigned to device"),
    ],
)
def test_credentials_that_cannot_be_are_refused(cast: Cast, body: dict[str, Any], says: str) -> None:
    assert cast.foreign_device
    answer = change(cast, **body)
    assert error(answer) == (400, 31)
    assert says in answer.json()["message"]
    assert set(look_up("acme-meter")) == {lookup_of("acme-meter")}


@pytest.mark.django_db(transaction=True)
async def test_transports_hear_after_commit_what_makes_a_session_stale() -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def hear(channel: str, payload: dict[str, Any]) -> None:
        await heard.put(payload)

    def change_everything() -> list[tuple[str, str]]:
        device = Cast().device
        key = str(device.pk)
        update_device(device, DeviceFields(name="Meter", label="only a label: nobody hears"))
        update_device(device, DeviceFields(name="Meter", additional_info={"gateway": True}))
        update_credentials(device, "ACCESS_TOKEN", "fresh")
        delete_device(device)
        return [(key, "acme-meter"), (key, "acme-meter"), (key, "fresh")]

    subscriber = bus.Subscriber([CREDENTIALS_CHANGED], hear)
    task = asyncio.create_task(subscriber.run())
    try:
        await asyncio.wait_for(subscriber.ready.wait(), 5)
        for key, token in await sync_to_async(change_everything)():
            message = await asyncio.wait_for(heard.get(), 5)
            assert message == {"deviceId": key, "lookup": lookup_of(token).hex()}
        assert heard.empty()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_nobody_hears_of_what_was_rolled_back(cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks() as callbacks, contextlib.suppress(BadRequest), transaction.atomic():
        update_credentials(cast.device, "ACCESS_TOKEN", "fresh")
        raise BadRequest("changed my mind")
    assert callbacks == []
