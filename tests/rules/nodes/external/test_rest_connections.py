"""Rest api call: to whom it connects, over TLS and through proxies."""

import asyncio
from pathlib import Path

import pytest

from rules.nodes.external.rest_api_call import RestApiCall
from tests.rules.nodes.context import message
from tests.rules.nodes.external.authority import Authority
from tests.rules.nodes.external.http_server import ForwardProxy, Reply, proxying, running
from tests.rules.nodes.external.rest import node, server
from tests.rules.nodes.outside import LocalOutside, outside_node, performed
from tests.rules.nodes.running import failed
from thingsboard.kernel.outgoing import Guard


async def test_a_name_that_changes_its_meaning_leads_to_where_it_was_checked(
    authority: Authority, tmp_path: Path
) -> None:
    """Over TLS: the certificate is that of the name, the connection goes to the address."""
    answers = [["127.0.0.2"], ["127.0.0.1"]]

    async def resolver(host: str, port: int) -> list[str]:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    tls = authority.server(tmp_path, "factory.example")
    guard = Guard(allowed=["127.0.0.2"], resolver=resolver)
    async with LocalOutside(guard) as outside, running(server(), tls, "127.0.0.2") as there:
        call = outside_node(
            RestApiCall,
            restEndpointUrlPattern=f"https://factory.example:{there.port}/",
            credentials={"type": "cert.PEM", "caCert": authority.pem},
        )
        assert (await performed(call, outside, message({}))).relation == "Success"
        assert there.heard[0].headers["host"] == f"factory.example:{there.port}"
        await outside.close()
        assert "127.0.0.1 is loopback" in failed(await performed(call, outside, message({})))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://2130706433:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
    ],
)
async def test_what_is_not_permitted_is_not_asked(url: str) -> None:
    async with LocalOutside(Guard()) as outside, running(server()) as there:
        call = outside_node(RestApiCall, restEndpointUrlPattern=url.format(port=there.port))
        assert "is not permitted" in failed(await performed(call, outside, message({})))
    assert there.connections == 0


async def test_a_certificate_is_shown_where_the_server_wants_one(
    outside: LocalOutside, authority: Authority, tmp_path: Path
) -> None:
    leaf = authority.leaf("device", password="open sesame")
    shown = {"cert": leaf.certificate, "privateKey": leaf.key.replace("\n", "\\n"), "password": "open sesame"}
    tls = authority.server(tmp_path, "127.0.0.1", ask_client=True)
    async with running(server(), tls) as there:
        good = node(there, scheme="https", credentials={"type": "cert.PEM", "caCert": authority.pem, **shown})
        assert (await performed(good, outside, message({}))).relation == "Success"
        without = node(there, scheme="https", credentials={"type": "cert.PEM", "caCert": authority.pem})
        assert failed(await performed(without, outside, message({})))
        wrong = node(
            there, scheme="https", credentials={**good.preview(message({}))["credentials"], **shown, "password": "?"}
        )
        assert "private key cannot be used" in failed(await performed(wrong, outside, message({})))
    assert len(there.heard) == 1


@pytest.mark.parametrize("trusted", ["nobody", "another", "name"])
async def test_a_server_that_is_not_whom_it_should_be_gets_nothing(
    outside: LocalOutside, authority: Authority, tmp_path: Path, trusted: str
) -> None:
    tls = authority.server(tmp_path, "other.example" if trusted == "name" else "127.0.0.1")
    pem = {"nobody": None, "another": Authority("Another").pem, "name": authority.pem}[trusted]
    async with running(server(), tls) as there:
        call = node(there, scheme="https", credentials={"type": "cert.PEM", "caCert": pem})
        assert "There is no safe connection" in failed(await performed(call, outside, message({})))
    assert there.heard == []


class TestProxies:
    @pytest.mark.parametrize("scheme", ["http", "https"])
    async def test_requests_go_through_the_proxy(
        self, outside: LocalOutside, authority: Authority, tmp_path: Path, scheme: str
    ) -> None:
        tls = authority.server(tmp_path, "127.0.0.1") if scheme == "https" else None
        async with running(server(), tls) as there, proxying(ForwardProxy("ann:secret")) as proxy:
            through = {
                "enableProxy": True,
                "proxyHost": "127.0.0.1",
                "proxyPort": proxy.port,
                "proxyUser": "ann",
                "proxyPassword": "secret",
                "credentials": {"type": "cert.PEM", "caCert": authority.pem},
            }
            call = node(there, scheme=scheme, **through)
            assert (await performed(call, outside, message({}))).relation == "Success"
            wrong = node(there, scheme=scheme, **{**through, "proxyPassword": "x"})
            assert "407" in failed(await performed(wrong, outside, message({})))
        verb = "CONNECT" if scheme == "https" else "POST"
        assert {asked.split(" ")[0] for asked in proxy.asked} == {verb} and len(there.heard) == 1
        assert "proxy-authorization" not in there.heard[0].headers or scheme == "http"

    async def test_a_proxy_is_checked_and_so_is_whom_it_is_to_ask(self) -> None:
        async with running(server()) as there, proxying(ForwardProxy()) as proxy:
            through = {"enableProxy": True, "proxyHost": "127.0.0.1", "proxyPort": proxy.port}
            async with LocalOutside(Guard(allowed=[f"127.0.0.1:{there.port}"])) as outside:
                assert "not permitted" in failed(await performed(node(there, **through), outside, message({})))
            async with LocalOutside(Guard(allowed=[f"127.0.0.1:{proxy.port}"])) as outside:
                assert "not permitted" in failed(await performed(node(there, **through), outside, message({})))
        assert proxy.asked == []

    async def test_the_proxy_of_the_platform_is_that_of_its_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        through = {"enableProxy": True, "useSystemProxyProperties": True}
        async with (
            running(server()) as there,
            proxying(ForwardProxy("u:p w")) as proxy,
            LocalOutside(Guard(allowed=[f"127.0.0.1:{there.port}"])) as outside,
        ):
            assert "no proxy of its own" in failed(await performed(node(there, **through), outside, message({})))
            monkeypatch.setenv("http_proxy", f"http://u:p%20w@127.0.0.1:{proxy.port}")
            assert (await performed(node(there, **through), outside, message({}))).relation == "Success"
        assert len(proxy.asked) == 1

    async def test_a_proxy_without_an_address_is_a_failure(self, outside: LocalOutside) -> None:
        call = outside_node(RestApiCall, enableProxy=True, proxyHost="", proxyPort=3128)
        assert "needs a host" in failed(await performed(call, outside, message({})))


async def test_hundreds_of_calls_overlap(outside: LocalOutside) -> None:
    async with running(server(Reply(silent=True))) as there:
        calls = [asyncio.create_task(performed(node(there), outside, message({}))) for _ in range(400)]
        async with asyncio.timeout(30):
            while there.at_once < 400:
                assert not [call.result() for call in calls if call.done()]
                await asyncio.sleep(0.01)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_a_connection_is_used_again(outside: LocalOutside) -> None:
    async with running(server()) as there:
        call = node(there)
        for _ in range(3):
            assert (await performed(call, outside, message({}))).relation == "Success"
    assert (there.connections, len(there.heard)) == (1, 3)
