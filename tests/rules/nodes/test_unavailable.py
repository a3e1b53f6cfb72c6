"""Nodes that are known but not available yet: their configurations are taken in, their messages fail with a sentence."""

from typing import Any

import pytest

from rules import registry
from rules.engine.graph import build
from rules.node.unavailable import UnavailableNode
from rules.nodes.action.save_to_custom_table import SaveToCustomTable
from rules.nodes.external.azure_iot_hub import AzureIotHub
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made

KINDS = [kind for kind in registry.all().values() if issubclass(kind, UnavailableNode)]

# As people filled them in.
CONFIGURED: dict[str, dict[str, Any]] = {
    "AI request": {
        "modelId": {"entityType": "AI_MODEL", "id": "5f0a1c00-0000-11ee-8000-000000000009"},
        "systemPrompt": None,
        "userPrompt": "Is ${deviceName} broken?",
        "resourceIds": None,
        "responseFormat": {"type": "JSON_SCHEMA", "schema": {"type": "object"}},
        "timeoutSeconds": 600,
        "forceAck": False,
    },
    "aws lambda": {"accessKey": "a", "secretKey": "b", "functionName": "f", "tellFailureIfFuncThrowsExc": True},
    "aws sns": {"accessKeyId": "a", "secretAccessKey": "b"},
    "aws sqs": {"queueType": "FIFO", "messageAttributes": {"a": "${b}"}, "delaySeconds": 5},
    "azure iot hub": {
        "credentials": {"type": "cert.PEM", "caCert": "x", "privateKey": "y", "password": ""},
        "clientId": "c",
    },
    "gcp pubsub": {"messageAttributes": {"a": "b"}, "serviceAccountKey": "{}", "serviceAccountKeyFileName": "key.json"},
    "send notification": {
        "targets": ["5f0a1c00-0000-11ee-8000-000000000009"],
        "templateId": {"entityType": "NOTIFICATION_TEMPLATE", "id": "5f0a1c00-0000-11ee-8000-000000000009"},
    },
    "send sms": {"useSystemSmsSettings": False, "smsProviderConfiguration": {"type": "TWILIO", "numberFrom": "1"}},
    "push to cloud": {"scope": "SHARED_SCOPE"},
    "push to edge": {"scope": "CLIENT_SCOPE"},
    "save to custom table": {"tableName": "t", "fieldsMapping": {"$entity_id": "id"}, "defaultTtl": 60},
}


def test_these_are_known_but_not_available() -> None:
    assert sorted(kind.NAME for kind in KINDS) == sorted(CONFIGURED)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.NAME)
class TestEveryUnavailableNode:
    def test_each_message_fails_with_a_sentence_that_names_the_node(
        self, kind: type[UnavailableNode], world: World
    ) -> None:
        node = made(kind, {**kind.defaults(), **CONFIGURED[kind.NAME]}, name="To the cloud")
        for outcome in node.run(world, [message({"t": 1}), message(raw=b"no json")]):
            assert failed(outcome) == "The rule node 'To the cloud' is not available yet."

    def test_what_people_configured_is_understood(self, kind: type[UnavailableNode]) -> None:
        configured = {**kind.defaults(), **CONFIGURED[kind.NAME]}
        understood = kind.CONFIG.read(configured).saved()
        assert {key: understood.get(key) for key in configured if key != "resourceIds"} == {
            key: value for key, value in configured.items() if key != "resourceIds"
        }

    def test_a_chain_with_it_compiles(self, kind: type[UnavailableNode], world: World) -> None:
        for configuration in (kind.defaults(), {}):
            raw = {"type": kind.TYPE, "name": "N", "configurationVersion": kind.VERSION, "configuration": configuration}
            (outcome,) = build(raw).run(world, [message({})])
            assert failed(outcome) == "The rule node 'N' is not available yet."


def test_older_versions_are_taken_in() -> None:
    assert AzureIotHub.upgrade(0, {"host": "h"}) == {"host": "h", "protocolVersion": "MQTT_3_1_1"}
    assert AzureIotHub.upgrade(0, {"protocolVersion": "MQTT_5"}) == {"protocolVersion": "MQTT_5"}
    assert SaveToCustomTable.upgrade(0, {"tableName": "t"}) == {"tableName": "t", "defaultTtl": 0}
    assert SaveToCustomTable.upgrade(0, {"defaultTtl": 5}) == {"defaultTtl": 5}
