"""Rest api call: what is sent and what is made of the answer, with real requests to a server on loopback."""

import asyncio
import socket
from typing import Any

import orjson
import pytest

from rules.node import Suspend, TryAgain
from rules.nodes.external.rest_api_call import RestApiCall
from tests.rules.nodes.context import World, message
from tests.rules.nodes.external.http_server import Reply, running
from tests.rules.nodes.external.rest import node, server
from tests.rules.nodes.outside import LocalOutside, outside_node, performed
from tests.rules.nodes.running import failed, made, run_one


async def test_the_body_goes_out_and_the_answer_comes_in(outside: LocalOutside) -> None:
    async with running(server()) as there:
        outcome = await performed(node(there), outside, message({"t": 21.5}, ts="5"))
    (heard,) = there.heard
    assert (heard.method, heard.path, heard.body) == ("POST", "/api", b'{"t":21.5}')
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["host"] == f"127.0.0.1:{there.port}"
    assert outcome.relation == "Success" and outcome.msg.data.value == {"stored": True}
    assert outcome.msg.metadata == {
        "ts": "5",
        "status": "CREATED",
        "statusCode": "201",
        "statusReason": "Created",
        "Content-Type": "application/json",
        "X-Id": "7",
        "Content-Length": "16",
    }


async def test_url_and_headers_have_places_for_what_the_message_says(outside: LocalOutside) -> None:
    headers = {"X-${name}": "$[t]", "Authorization": "Bearer ${token}"}
    async with running(server()) as there:
        call = node(there, "/d/${key}/v?x=$[t] y", headers=headers)
        await performed(call, outside, message({"t": 21.5}, key="a b", name="k", token="s3cret"))
        assert call.destination(message({"t": 1}, key="a b")) == f"http://127.0.0.1:{there.port}"
        preview = call.preview(message({"t": 21.5}, name="k", token="s3cret"))
    (heard,) = there.heard
    assert heard.path == "/d/a%20b/v?x=21.5%20y"
    assert (heard.headers["authorization"], heard.headers["x-k"]) == ("Bearer s3cret", "21.5")
    assert preview["headers"]["Authorization"] == "***" and preview["headers"]["X-k"] == "21.5"
    assert "s3cret" not in str(preview) and preview["body"] == '{"t":21.5}'


@pytest.mark.parametrize(
    ("method", "more", "body", "sent"),
    [
        ("GET", {}, b'{"a":1}', b""),
        ("PUT", {}, b'{"a": 1}', b'{"a": 1}'),
        ("PATCH", {"ignoreRequestBody": True}, b'{"a":1}', b""),
        ("DELETE", {}, b'{"a":1}', b'{"a":1}'),
        ("POST", {"parseToPlainText": True}, b'"A\\u00e4 \\"b\\""', 'Aä "b"'.encode()),
        ("POST", {"parseToPlainText": True}, b"not json", b"not json"),
        ("POST", {}, b'"text"', b'"text"'),
    ],
)
async def test_what_is_sent_as_the_body(
    outside: LocalOutside, method: str, more: dict[str, Any], body: bytes, sent: bytes
) -> None:
    async with running(server()) as there:
        outcome = await performed(node(there, requestMethod=method, **more), outside, message(raw=body))
    assert outcome.relation == "Success", outcome
    assert [(heard.method, heard.body) for heard in there.heard] == [(method, sent)]


async def test_a_body_that_is_not_json_is_not_sent_as_json(outside: LocalOutside) -> None:
    async with running(server()) as there:
        assert failed(await performed(node(there), outside, message(raw=b"{")))
    assert there.heard == []


@pytest.mark.parametrize(
    ("reply", "status", "code", "reason"),
    [
        (Reply(404, "Not Found", [], b"no such thing"), "NOT_FOUND", "404", "Not Found"),
        (Reply(503, "Busy", [], b"later"), "SERVICE_UNAVAILABLE", "503", "Busy"),
        (Reply(413, "Large", [], b"x"), "PAYLOAD_TOO_LARGE", "413", "Large"),
        (Reply(599, "Odd", [], b""), "599", "599", "Odd"),
    ],
)
async def test_an_answer_that_is_not_2xx_is_a_failure_that_says_all(
    outside: LocalOutside, reply: Reply, status: str, code: str, reason: str
) -> None:
    async with running(server(reply)) as there:
        outcome = await performed(node(there, "/x?token=abc"), outside, message({"t": 1}))
        assert failed(outcome) == f"{code} {reason} from POST http://127.0.0.1:{there.port}/x"
    metadata = outcome.msg.metadata
    assert (metadata["status"], metadata["statusCode"], metadata["statusReason"]) == (status, code, reason)
    assert metadata["error_body"] == reply.body.decode()
    assert outcome.msg.data.value == {"t": 1}


async def test_a_redirect_is_not_followed(outside: LocalOutside) -> None:
    secret = server(Reply(200, "OK", [], b"inside"))
    async with running(secret, host="127.0.0.2"):
        moved = Reply(302, "Found", [("Location", f"http://127.0.0.2:{secret.port}/admin")])
        async with running(server(moved)) as there:
            outcome = await performed(node(there), outside, message({}))
    assert failed(outcome).startswith("302 Found")
    assert outcome.msg.metadata["Location"].endswith("/admin") and secret.heard == []


async def test_an_answer_without_a_body_is_an_empty_object_and_repeated_headers_are_an_array(
    outside: LocalOutside,
) -> None:
    headers = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    async with running(server(Reply(204, "No Content", headers))) as there:
        call = node(there)
        outcome = await performed(call, outside, message({}))
        await performed(call, outside, message({}))
    assert outcome.msg.data.value == {} and outcome.msg.metadata["Set-Cookie"] == '["a=1","b=2"]'
    assert "cookie" not in there.heard[1].headers


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain", b"caf\xe9", "caf�"),
        ("text/plain; charset=ISO-8859-1", b"caf\xe9", "café"),
        ("text/plain; charset=klingon", "café".encode(), "café"),
        ("application/octet-stream", bytes(range(256)), bytes(range(256)).decode("utf-8", "replace")),
    ],
)
async def test_an_answer_that_is_not_utf_8_is_text_nevertheless(
    outside: LocalOutside, content_type: str, body: bytes, text: str
) -> None:
    async with running(server(Reply(200, "OK", [("Content-Type", content_type)], body))) as there:
        outcome = await performed(node(there), outside, message({}))
    assert outcome.relation == "Success" and outcome.msg.data.raw == text.encode()


@pytest.mark.parametrize("reply", [Reply(body=b"x" * 1025), Reply(endless=True)])
async def test_an_answer_that_is_too_long_is_a_failure(outside: LocalOutside, reply: Reply) -> None:
    async with running(server(reply)) as there:
        outcome = await performed(node(there, maxInMemoryBufferSizeInKb=1), outside, message({}))
    assert failed(outcome) == "The answer is longer than 1024 bytes."


async def test_a_silent_server_is_waited_for_no_longer_than_configured(outside: LocalOutside) -> None:
    async with running(server(Reply(silent=True))) as there:
        outcome = await performed(node(there, readTimeoutMs=50), outside, message({}))
    assert failed(outcome) == f"127.0.0.1:{there.port} was silent for 0.05 s."


async def test_an_answer_that_breaks_off_is_a_failure_because_the_request_may_have_arrived(
    outside: LocalOutside,
) -> None:
    async with running(server(Reply(cut=True))) as there:
        assert "disconnected" in failed(await performed(node(there), outside, message({})))
    assert len(there.heard) == 1


async def test_where_nobody_listens_it_is_tried_again(outside: LocalOutside) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    call = outside_node(RestApiCall, restEndpointUrlPattern=f"http://127.0.0.1:{port}")
    with pytest.raises(TryAgain, match="cannot be reached"):
        await performed(call, outside, message({}))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.org/", "expected http: or https:"),
        ("file:///etc/passwd", "expected http: or https:"),
        ("example.org/x", "no scheme"),
        ("http:///x", "names no host"),
        ("http://user:pw@example.org/", "a user in front of its host"),
        ("http://good.example\\@127.0.0.1/", "a user in front of its host"),
        ("http://[::1/", "cannot be used"),
        ("http://a:b/", "cannot be used"),
        ("", "no scheme"),
    ],
)
def test_a_url_that_is_none_fails_before_anything_waits(url: str, why: str) -> None:
    outcome = made(RestApiCall, {"restEndpointUrlPattern": url})
    with pytest.raises(ValueError, match=why):
        run_one(outcome, World(), message({}))


def test_the_message_waits_for_its_destination() -> None:
    call = made(RestApiCall, {"restEndpointUrlPattern": "https://${host}/x"})
    outcome = run_one(call, World(), message({}, host="Example.ORG"))
    assert isinstance(outcome, Suspend) and outcome.destination == "https://example.org:443"


async def test_basic_credentials_are_shown_to_the_server_and_to_nobody_else(outside: LocalOutside) -> None:
    credentials = {"type": "basic", "username": "ann", "password": "pass:wörd"}
    async with running(server()) as there:
        call = node(there, credentials=credentials, headers={"authorization": "other"})
        await performed(call, outside, message({}))
        assert "wörd" not in str(call.preview(message({}))) and "ann" in str(call.preview(message({})))
    assert there.heard[0].headers["authorization"] == "Basic YW5uOnBhc3M6d8O2cmQ="


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb"])
async def test_a_header_with_a_line_break_is_not_sent(outside: LocalOutside, value: str) -> None:
    async with running(server()) as there:
        outcome = await performed(node(there, headers={"X": "${v}"}), outside, message({}, v=value))
    assert failed(outcome) == "The header 'X' has an empty name or a line break." and there.heard == []


async def test_how_the_request_is_framed_is_not_for_headers_to_say(outside: LocalOutside) -> None:
    headers = {"Content-Length": "3", "Transfer-Encoding": "chunked", "Connection": "upgrade", "X": "y"}
    async with running(server()) as there:
        assert (await performed(node(there, headers=headers), outside, message({"a": 1}))).relation == "Success"
    assert there.heard[0].body == b'{"a":1}' and there.heard[0].headers["content-length"] == "7"


async def test_connections_are_used_again_and_no_more_than_wanted_at_once(outside: LocalOutside) -> None:
    async with running(server()) as there:
        call = node(there, maxParallelRequestsCount=2)
        outcomes = await asyncio.gather(*(performed(call, outside, message({"n": n})) for n in range(20)))
        assert {outcome.relation for outcome in outcomes} == {"Success"}
    assert len(there.heard) == 20 and there.connections <= 2 and there.most_at_once <= 2
    assert sorted(orjson.loads(heard.body)["n"] for heard in there.heard) == list(range(20))
    assert outside.opened == 1


class TestConfigurations:
    def test_a_new_node(self) -> None:
        assert RestApiCall.defaults() == {
            "restEndpointUrlPattern": "http://localhost/api",
            "requestMethod": "POST",
            "headers": {"Content-Type": "application/json"},
            "useSimpleClientHttpFactory": False,
            "readTimeoutMs": 0,
            "maxParallelRequestsCount": 0,
            "parseToPlainText": False,
            "enableProxy": False,
            "useSystemProxyProperties": False,
            "proxyHost": None,
            "proxyPort": 0,
            "proxyUser": None,
            "proxyPassword": None,
            "proxyScheme": None,
            "credentials": {"type": "anonymous"},
            "ignoreRequestBody": False,
            "maxInMemoryBufferSizeInKb": 256,
        }

    def test_what_a_later_version_says_with_nothing_is_nothing(self) -> None:
        made(RestApiCall, {"requestBodyTemplate": None, "queryParams": []})

    def test_older_versions(self) -> None:
        old = {
            "trimDoubleQuotes": True,
            "useRedisQueueForMsgPersistence": True,
            "trimQueue": True,
            "maxQueueSize": 5,
            "x": 1,
        }
        assert RestApiCall.upgrade(0, old) == {"parseToPlainText": True, "maxInMemoryBufferSizeInKb": 256, "x": 1}
        assert RestApiCall.upgrade(2, {"maxInMemoryBufferSizeInKb": 9}) == {"maxInMemoryBufferSizeInKb": 9}
        assert "trimDoubleQuotes" in old

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"requestMethod": "BREW"}, "'BREW' is not a method"),
            ({"maxInMemoryBufferSizeInKb": 25001}, "expected at most 25000"),
            ({"credentials": {"type": "sas"}}, "cannot be used"),
            ({"headers": [1]}, "cannot be used"),
            ({"requestBodyTemplate": "{}"}, "of a later version"),
            ({"queryParams": [{"key": "a", "value": "b"}]}, "of a later version"),
        ],
    )
    def test_what_cannot_be_is_said(self, wrong: dict[str, Any], why: str) -> None:
        with pytest.raises(ValueError, match=why):
            made(RestApiCall, wrong)
