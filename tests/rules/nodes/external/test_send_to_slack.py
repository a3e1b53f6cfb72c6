"""Send to slack: to a server on loopback that speaks as Slack's API does."""

import socket
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from rules.node import Suspend, TryAgain
from rules.nodes.external.send_to_slack import SendToSlack
from tests.rules.nodes.context import World, message
from tests.rules.nodes.external.http_server import Heard, HttpServer, Reply, running
from tests.rules.nodes.outside import LocalOutside, outside_node, performed
from tests.rules.nodes.running import failed, made, run_one
from thingsboard.kernel.outgoing import Guard

CHANNEL = {"type": "PUBLIC_CHANNEL", "id": "C123", "name": "alarms"}


def node(**configuration: Any) -> Any:
    own = {
        "useSystemSettings": False,
        "botToken": "xoxb-1",
        "conversation": CHANNEL,
        "messageTemplate": "$[t] at ${where}",
    }
    return outside_node(SendToSlack, **{**own, **configuration})


class Slack:
    """Knows one token and one channel."""

    def __init__(self) -> None:
        self.reply: Reply | None = None
        self.server = HttpServer(self.answer)

    def answer(self, heard: Heard) -> Reply:
        if self.reply is not None:
            return self.reply
        if heard.headers["authorization"] != "Bearer xoxb-1":
            return Reply(body=b'{"ok":false,"error":"invalid_auth"}')
        if orjson.loads(heard.body)["channel"] not in ("C123", "U7"):
            return Reply(body=b'{"ok":false,"error":"channel_not_found"}')
        return Reply(body=b'{"ok":true,"ts":"1"}')


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    slack = Slack()
    async with running(slack.server):
        yield slack


@pytest.fixture
async def outside(slack: Slack) -> AsyncIterator[LocalOutside]:
    """The guard lets nothing pass but public addresses: where Slack is was said by an administrator."""
    async with LocalOutside(Guard()) as outside:
        outside.slack_url = f"http://127.0.0.1:{slack.server.port}/api"
        yield outside


@pytest.mark.parametrize(
    "conversation", [CHANNEL, {"type": "DIRECT", "id": "U7", "name": "ann", "wholeName": "Ann B", "email": "a@b.c"}]
)
async def test_a_text_is_said(slack: Slack, outside: LocalOutside, conversation: dict[str, str]) -> None:
    outcome = await performed(node(conversation=conversation), outside, message({"t": 21.5}, where="Zürich"))
    assert (outcome.relation, outcome.msg.metadata) == ("Success", {"where": "Zürich"})
    (heard,) = slack.server.heard
    assert (heard.method, heard.path) == ("POST", "/api/chat.postMessage")
    assert orjson.loads(heard.body) == {"channel": conversation["id"], "text": "21.5 at Zürich"}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"botToken": "xoxb-2"}, "Slack refuses the message: invalid_auth."),
        ({"conversation": {**CHANNEL, "id": "C9"}}, "Slack refuses the message: channel_not_found."),
        ({"conversation": None}, "The configuration names no Slack conversation."),
        ({"botToken": ""}, "Slack token is missing."),
        ({"botToken": None}, "Slack token is missing."),
        ({"botToken": "a\r\nX: b"}, "The Slack token is not one."),
        ({"messageTemplate": " "}, "The text for Slack is empty."),
        ({"messageTemplate": "x" * 40_001}, "The text for Slack has 40001 characters; expected at most 40000."),
    ],
)
async def test_what_is_wrong_is_said(outside: LocalOutside, wrong: dict[str, Any], why: str) -> None:
    assert failed(await performed(node(**wrong), outside, message({"t": 1}))) == why


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(500, "Oops", [], b""), "Slack answers 500 Oops."),
        (Reply(302, "Found", [("Location", "http://127.0.0.1/")], b""), "Slack answers 302 Found."),
        (Reply(body=b"<html>"), "Slack's answer is not a JSON object."),
        (Reply(body=b"\xff"), "Slack's answer is not a JSON object."),
        (Reply(endless=True), "The answer is longer than 1048576 bytes."),
        (Reply(body=b'{"ok":false}'), "Slack refuses the message: it does not say why."),
    ],
)
async def test_an_answer_that_is_not_slacks_yes_is_a_failure(
    slack: Slack, outside: LocalOutside, reply: Reply, why: str
) -> None:
    slack.reply = reply
    assert failed(await performed(node(), outside, message({"t": 1}))) == why


async def test_too_much_is_tried_again_when_slack_says(slack: Slack, outside: LocalOutside) -> None:
    slack.reply = Reply(429, "Too Many Requests", [("Retry-After", "30")])
    with pytest.raises(TryAgain, match="too much at present") as raised:
        await performed(node(), outside, message({"t": 1}))
    assert raised.value.after_s == 30.0


async def test_where_slack_is_not_there_it_is_tried_again(outside: LocalOutside) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outside.slack_url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(TryAgain, match="cannot be reached"):
        await performed(node(), outside, message({"t": 1}))


async def test_the_platforms_token_is_used_where_there_is_one(slack: Slack) -> None:
    async with LocalOutside(slack={"botToken": "xoxb-1"}) as outside:
        outside.slack_url = f"http://127.0.0.1:{slack.server.port}"
        assert (await performed(node(useSystemSettings=True), outside, message({"t": 1}))).relation == "Success"
    async with LocalOutside() as without:
        assert "no settings of slack" in failed(
            await performed(node(useSystemSettings=True), without, message({"t": 1}))
        )


def test_a_text_waits_and_can_be_looked_at_without_the_token() -> None:
    waiting = run_one(node(), World(), message({"t": 1}, where="a"))
    assert isinstance(waiting, Suspend) and waiting.destination == "slack"
    assert node().preview(message({"t": 1}, where="a")) == {"channel": "C123", "name": "alarms", "text": "1 at a"}


def test_a_new_node_and_one_that_cannot_be() -> None:
    assert SendToSlack.defaults() == {
        "botToken": "xoxb-",
        "useSystemSettings": True,
        "messageTemplate": "Device ${deviceId}: temperature is $[temperature]",
        "conversationType": "PUBLIC_CHANNEL",
        "conversation": None,
    }
    with pytest.raises(ValueError, match="cannot be used"):
        made(SendToSlack, {"conversationType": "SHOUT"})
