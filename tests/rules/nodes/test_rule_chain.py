"""Rule chain: on in another chain."""

import uuid

import pytest

from rules.node import Enter
from rules.nodes.flow.rule_chain import RuleChain
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import made

CHAIN = uuid.UUID("8f4b3a60-1d2f-11ee-9c3f-0b1c2d3e4f50")


def test_messages_go_on_in_the_chain(world: World) -> None:
    messages = [message({"t": 1}, stored=True), message({"t": 2})]
    node = made(RuleChain, {"ruleChainId": str(CHAIN), "forwardMsgToDefaultRuleChain": False})
    assert node.run(world, messages) == [Enter(CHAIN.bytes, msg) for msg in messages]


def test_the_chain_of_the_profile_goes_first_where_that_is_wanted_and_the_configured_one_is_its_fallback(
    world: World,
) -> None:
    msg = message({"t": 1})
    node = made(RuleChain, {"ruleChainId": str(CHAIN), "forwardMsgToDefaultRuleChain": True})
    assert node.run(world, [msg]) == [Enter(b"", msg, CHAIN.bytes)]


def test_version_0_knew_the_configured_chain_alone(world: World) -> None:
    msg = message({"t": 1})
    assert made(RuleChain, {"ruleChainId": str(CHAIN)}, version=0).run(world, [msg]) == [Enter(CHAIN.bytes, msg)]


@pytest.mark.parametrize(
    ("chain", "why"),
    [
        (None, "Rule chain must be set!"),
        ("", "Rule chain must be set!"),
        ("root", "Failed to parse rule chain id: root"),
    ],
)
def test_a_chain_must_be_named(chain: str | None, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(RuleChain, {"ruleChainId": chain})
