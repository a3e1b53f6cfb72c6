"""Chains that call chains, chains that are saved while messages wait, and chains that never end."""

import uuid
from typing import Any

import pytest

from rules.models import RuleChain, RuleChainVersion
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.flow.acknowledge import Acknowledge
from rules.nodes.flow.output import Output
from rules.nodes.flow.rule_chain import RuleChain as Input
from rules.nodes.transformation.delete_keys import DeleteKeys
from rules.nodes.transformation.split_array import SplitArray
from telemetry.services import latest
from tests.cast import Cast
from tests.rules.engine.world import drain, make_chain, queue, telemetry, waiting
from thingsboard.kernel.models import DeadLetter, OutboxRow

pytestmark = pytest.mark.django_db(transaction=True)


def errors() -> list[str]:
    return list(DeadLetter.objects.filter(type="POST_TELEMETRY_REQUEST").values_list("error", flat=True))


def send(cast: Cast, body: bytes = b'{"t":1}') -> uuid.UUID:
    device = cast.device.pk
    OutboxRow.objects.all().delete()
    queue(cast.acme.pk, telemetry(device, body))
    drain()
    assert waiting() == 0
    return device


def call(chain: RuleChain) -> dict[str, str]:
    return {"ruleChainId": str(chain.pk)}


def name_nodes(chain: RuleChain, *names: str) -> None:
    """The label by which an output node gives messages back is its name."""
    version = RuleChainVersion.objects.get(chain=chain, number=chain.version)
    for node, name in zip(version.definition["nodes"], names, strict=True):
        node["name"] = name
    RuleChainVersion.objects.filter(pk=version.pk).update(definition=version.definition)


def test_a_message_comes_back_from_the_chain_that_was_called_by_the_name_of_its_output(cast: Cast) -> None:
    inner = make_chain(cast.acme.pk, [(Output, {})], root=False)
    name_nodes(inner, "Approved")
    make_chain(cast.acme.pk, [(Input, call(inner)), (SaveTimeSeries, {})], [(0, 1, "approved")])
    assert latest(send(cast))["t"].value == 1


def test_a_profile_of_devices_has_a_chain_of_its_own(cast: Cast) -> None:
    own = make_chain(cast.acme.pk, [(SaveTimeSeries, {})], root=False)
    make_chain(cast.acme.pk, [("org.example.Root", {})])
    profile = cast.device.profile
    type(profile).objects.filter(pk=profile.pk).update(default_rule_chain_id=own.pk)
    assert latest(send(cast))["t"].value == 1


def test_chains_that_call_each_other_for_ever_fail_the_message(cast: Cast) -> None:
    one = make_chain(cast.acme.pk, [(Output, {})])
    other = make_chain(cast.acme.pk, [(Input, call(one))], root=False)
    make_chain(cast.acme.pk, [(Input, call(other))], chain=one)
    send(cast)
    (error,) = errors()
    assert "met more than 1000 rule nodes" in error


def test_an_array_of_more_elements_than_a_message_may_meet_nodes_is_split(cast: Cast) -> None:
    nodes = [(SplitArray, {}), (DeleteKeys, {"keys": ["x"]}), (SaveTimeSeries, {})]
    make_chain(cast.acme.pk, nodes, [(0, 1, "Success"), (1, 2, "Success")])
    device = send(cast, b"[" + b",".join(b'{"t":%d,"x":1}' % number for number in range(1500)) + b"]")
    assert (errors(), latest(device, ["t"])["t"].value, latest(device, ["x"])) == ([], 1499, {})


def test_what_becomes_of_an_array_is_bounded_too(cast: Cast, settings: Any) -> None:
    settings.TB_RULE_MAX_NODES_PER_MESSAGE = 10
    nodes = [(SplitArray, {}), (DeleteKeys, {"keys": ["x"]}), (SaveTimeSeries, {})]
    make_chain(cast.acme.pk, nodes, [(0, 1, "Success"), (1, 2, "Success")])
    send(cast, b"[" + b",".join(b'{"t":%d}' % number for number in range(400)) + b"]")
    assert errors() == []
    send(cast, b"[" + b",".join(b'{"t":%d}' % number for number in range(600)) + b"]")
    assert errors() == ["The message met more than 10 rule nodes."]


def test_a_chain_that_is_gone_fails_the_message(cast: Cast) -> None:
    gone = make_chain(cast.acme.pk, [(Output, {})], root=False)
    make_chain(cast.acme.pk, [(Input, call(gone))])
    gone.delete()
    send(cast)
    assert errors() == ["The rule chain does not exist or is empty."]


def test_the_chain_of_another_tenant_does_not_exist(cast: Cast) -> None:
    foreign = make_chain(cast.globex.pk, [(SaveTimeSeries, {})], root=False)
    make_chain(cast.acme.pk, [(Input, call(foreign))])
    assert latest(send(cast)) == {}
    assert errors() == ["The rule chain does not exist or is empty."]


def test_what_fails_behind_acknowledge_is_done(cast: Cast) -> None:
    make_chain(cast.acme.pk, [(Acknowledge, {}), (SaveTimeSeries, {})], [(0, 1, "Success")])
    send(cast, b"[]")
    assert errors() == []


def test_messages_that_wait_meet_the_version_that_is_there_when_they_are_processed(cast: Cast) -> None:
    chain = make_chain(cast.acme.pk, [("org.example.Old", {})])
    device = cast.device.pk
    OutboxRow.objects.all().delete()
    queue(cast.acme.pk, telemetry(device, b'{"t":1}'))
    make_chain(cast.acme.pk, [(SaveTimeSeries, {})], chain=chain)
    drain()
    assert (latest(device)["t"].value, errors()) == (1, [])


def test_an_empty_chain_is_no_failure(cast: Cast) -> None:
    make_chain(cast.acme.pk, [], first=None)
    send(cast)
    assert errors() == []
