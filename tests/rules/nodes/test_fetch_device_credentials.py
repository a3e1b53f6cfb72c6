"""Fetch device credentials: in the clear, where ThingsBoard puts them."""

from typing import Any

import pytest

from rules.node.lookups import Credentials
from rules.nodes.enrichment.fetch_device_credentials import FetchDeviceCredentials
from tests.rules.nodes.context import DEVICE, World, entity, message
from tests.rules.nodes.running import failed, made, run_one
from thingsboard.kernel.ids import EntityType

BASIC = '{"clientId":null,"userName":"u","password":"p"}'


@pytest.mark.parametrize(
    ("credentials", "text", "value"),
    [
        (Credentials("ACCESS_TOKEN", "T1", None), "T1", "T1"),
        (Credentials("X509_CERTIFICATE", "hash", "MIIB"), "MIIB", "MIIB"),
        (Credentials("MQTT_BASIC", "u", BASIC), BASIC, {"clientId": None, "userName": "u", "password": "p"}),
    ],
)
def test_each_kind_is_told_in_its_way(world: World, credentials: Credentials, text: str, value: Any) -> None:
    world.look.secrets = {DEVICE: credentials}
    outcome = run_one(made(FetchDeviceCredentials), world, message({"x": 1}))
    assert outcome.relation == "Success"
    assert outcome.msg.metadata == {"credentialsType": credentials.type, "credentials": text}
    msg = run_one(made(FetchDeviceCredentials, {"fetchTo": "DATA"}), world, message({"x": 1})).msg
    assert msg.data.value == {"x": 1, "credentialsType": credentials.type, "credentials": value}
    assert msg.metadata == {}


def test_whoever_is_no_device_or_is_gone_fails_and_all_are_asked_for_at_once(world: World) -> None:
    world.look.secrets = {DEVICE: Credentials("ACCESS_TOKEN", "T1", None)}
    hall, gone = entity(1, EntityType.ASSET), entity(2)
    messages = [message({}), message({}, originator=hall), message({}, originator=gone)]
    there, no_device, missing = made(FetchDeviceCredentials).run(world, messages)
    assert there.relation == "Success"
    assert failed(no_device) == "Unsupported originator type: ASSET!"
    assert failed(missing) == f"Failed to get Device Credentials for device: {gone.id}!"
    assert world.asked == ["credentials"]


def test_a_body_that_is_no_object_fails_where_they_belong_into_it(world: World) -> None:
    world.look.secrets = {DEVICE: Credentials("ACCESS_TOKEN", "T1", None)}
    outcome = run_one(made(FetchDeviceCredentials, {"fetchTo": "DATA"}), world, message([1]))
    assert failed(outcome) == "The message body is not a JSON object."


def test_version_0_had_a_truth_value_for_the_place() -> None:
    assert FetchDeviceCredentials.upgrade(0, {"fetchToMetadata": True}) == {"fetchTo": "METADATA"}
    assert FetchDeviceCredentials.upgrade(0, {"fetchToMetadata": False}) == {"fetchTo": "DATA"}
    with pytest.raises(ValueError, match="fetchToMetadata is missing"):
        FetchDeviceCredentials.upgrade(0, {})
