"""The door of /api/ws: who comes in, what is refused, and with which code a socket is closed."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tenants.auth.jwt import issue_pair, verified
from tenants.models import TenantProfile, User
from tenants.services.sessions import end_session, set_enabled
from tests.cast import Cast
from tests.telemetry.live.screen import dialled, entity, of, own_web, quick_web, refusal, save, screen, token, values
from tests.tenants.clock import clock
from tests.transports.mqtt.conftest import from_database

__all__ = ["clock"]

LATEST = {"type": "TIMESERIES", "scope": "LATEST_TELEMETRY"}


async def refresh_token(user: User) -> str:
    return await from_database(lambda: issue_pair(user).refresh_token)


async def test_a_token_comes_in_the_query_or_in_the_first_message(people: Cast) -> None:
    mine = await token(people.alice)
    await save(people.device, 1000, t=1)
    async with quick_web() as at:
        for path in ("/api/ws", "/api/ws/", "/api/ws/plugins/telemetry"):
            async with dialled(at, f"{path}?token={mine}") as one:
                command = {"cmdId": 1, "keys": "t", **of(people.device), **LATEST}
                said = {"tsSubCmds": [command]} if "plugins" in path else {"cmds": [command]}
                await one.socket.send(json.dumps(said))
                assert await one.hear() == values(1, t=[[1000, "1"]])
        async with dialled(at) as one:  # and the first message may already carry commands
            await one.say({"cmdId": 2, "keys": "t", **of(people.device), **LATEST}, authCmd={"cmdId": 0, "token": mine})
            assert await one.hear() == values(2, t=[[1000, "1"]])


async def test_who_has_no_good_token_is_closed(people: Cast, clock: Callable[[float], None]) -> None:
    clock(-7200)
    old = await token(people.alice)
    clock(0)
    ended = await from_database(lambda: issue_pair(people.bob))
    await from_database(set_enabled, people.bob, False)
    bad = {
        "old": old,
        "refresh": await refresh_token(people.alice),
        "disabled": ended.token,
        "none": "",
        "wrong": "a.b.c",
    }
    async with quick_web(TB_WS_AUTH_TIMEOUT=0.3) as at:
        for name, each in bad.items():
            async with dialled(at, f"/api/ws?token={each}") as one:
                assert (await one.closed())[0] == 1011, name
            async with dialled(at) as one:
                await one.say(authCmd={"cmdId": 0, "token": each})
                assert (await one.closed())[0] == 1007, name
        async with dialled(at) as one:
            assert await one.closed() == (1008, "Expected authCmd within 0.3 s")
        async with dialled(at, "/api/ws/plugins/telemetry") as one:
            assert (await one.closed())[0] == 1008
        async with dialled(at) as one:
            await one.say({"cmdId": 1, "keys": "t", **of(people.device), **LATEST})
            assert await one.closed() == (1008, "Auth cmd is missing")
        async with dialled(at) as one:
            await one.socket.send("{")
            assert (await one.closed())[0] == 1007


async def test_an_expired_token_does_not_close_an_open_socket(people: Cast) -> None:
    async with quick_web(TB_ACCESS_TOKEN_SECONDS=1, TB_WS_RECHECK_SECONDS=0.1) as at, screen(at, people.alice) as one:
        await one.ask(cmdId=1, keys="t", **LATEST, **of(people.device))
        await asyncio.sleep(1.2)  # the process' own clock; a rechecking one must not mind either
        await save(people.device, 1000, t=1)
        assert await one.hear() == values(1, t=[[1000, "1"]])


async def test_unknown_places_are_closed(people: Cast) -> None:
    mine = await token(people.alice)
    async with own_web() as at:
        for path in ("/api/ws/plugins/rpc", "/api/ws/plugins", "/api/ws/x"):
            async with dialled(at, f"{path}?token={mine}") as one:
                assert await one.closed() == (1007, "Unknown session type")
        for path in ("/ws", "/api/wsx"):
            with pytest.raises(InvalidStatus) as refused:
                async with connect(f"ws://127.0.0.1:{at.port}{path}"):
                    pass
            assert refused.value.response.status_code == 403
        async with dialled(at, f"/api/ws/plugins/notifications?token={mine}") as one:
            await one.socket.send('{"unreadSubCmd":{"cmdId":3,"limit":5}}')
            assert await one.hear() == refusal(3, 2, "Commands of type NOTIFICATIONS are not available yet")
        assert "Traceback" not in at.said()


BAD_MESSAGES = ["{", "[]", '"x"', '{"cmds":{}}', '{"cmds":[1]}', '{"cmds":[{"cmdId":1}]}', "[" * 5000,
                '{"cmds":[{"type":"FOO","cmdId":1}]}', '{"cmds":[{"type":"TIMESERIES","cmdId":"1"}]}']  # fmt: skip


async def test_a_message_that_cannot_be_read_is_said_so(people: Cast) -> None:
    async with own_web() as at, screen(at, people.alice) as one:
        await one.say()
        for bad in BAD_MESSAGES:
            await one.socket.send(bad)
            assert await one.hear() == refusal(1, 2, "Failed to parse the payload"), bad
        assert "Traceback" not in at.said()


async def test_a_command_that_makes_no_sense_is_refused_alone(people: Cast) -> None:
    def wrong(**command: Any) -> dict[str, Any]:
        return {"cmdId": 5, "keys": "t", **LATEST, **of(people.device), **command}

    cases = [
        (wrong(cmdId=-1), "Cmd id is negative value!"),
        (wrong(entityId=""), "Device id is empty!"),
        (wrong(entityId=None), "Device id is empty!"),
        (wrong(entityType="TEAPOT"), "Unknown entityType 'TEAPOT'"),
        (wrong(entityId="1-2"), "Invalid UUID string: 1-2"),
        (wrong(entityId=7), "Expected 'entityId' as a text"),
        (wrong(keys=["t"]), "Expected 'keys' as a text"),
        (wrong(keys=",".join(map(str, range(1001)))), "Too many keys: 1001; at most 1000 may be named"),
        (wrong(scope="", timeWindow=9, agg="MEDIAN"), "Unknown agg 'MEDIAN'; expected one of NONE, MIN, MAX, AVG, SUM, COUNT"),
        (wrong(scope="", timeWindow="9"), "Expected 'timeWindow' as a whole number"),
        (wrong(type="ATTRIBUTES", scope="MY_SCOPE"),
         "Invalid scope: MY_SCOPE; expected CLIENT_SCOPE, SERVER_SCOPE or SHARED_SCOPE"),
        ({"type": "ENTITY_DATA", "cmdId": 5}, "Query is empty!"),
        ({"type": "ENTITY_DATA", "cmdId": 5, "query": {"entityFilter": {}}},
         "Expected a 'pageLink' with a 'pageSize' from 1 and a 'page' from 0"),
        ({"type": "ENTITY_DATA", "cmdId": 5, "query": []}, "Expected 'query' as an object"),
    ]  # fmt: skip
    async with own_web() as at, screen(at, people.alice) as one:
        for command, sentence in cases:
            await one.say(command)
            assert await one.hear() == refusal(command["cmdId"], 2, sentence)
        assert await one.ask(**wrong()) == values(5)
        assert "Traceback" not in at.said()


async def test_messages_are_bounded_and_text(people: Cast) -> None:
    async with quick_web() as at:
        async with screen(at, people.alice) as one:
            await one.socket.send(" " * 32_768)
            assert await one.hear() == refusal(1, 2, "Failed to parse the payload")
            await one.socket.send(" " * 32_769)
            assert (await one.closed())[0] == 1009
        async with screen(at, people.alice) as one:
            await one.socket.send(b"{}")
            assert (await one.closed())[0] == 1003


async def test_a_logout_and_switching_off_close_the_sockets_of_the_session(people: Cast) -> None:
    pair = await from_database(lambda: issue_pair(people.alice))
    async with quick_web() as at, screen(at, people.alice) as other, screen(at, people.bob) as bob:
        async with dialled(at, f"/api/ws?token={pair.token}") as one:
            for each, device in ((one, people.device), (other, people.device), (bob, people.bobs_device)):
                await each.ask(cmdId=1, keys="t", **LATEST, **of(device))
            session = (await from_database(verified, pair.token))["sessionId"]
            await from_database(end_session, people.alice, uuid.UUID(session))
            assert (await one.closed())[0] == 1008
        await save(people.device, 1000, t=1)
        assert await other.hear() == values(1, t=[[1000, "1"]])
        await from_database(set_enabled, people.bob, False)
        assert (await bob.closed())[0] == 1008


async def limited(people: Cast, **configuration: Any) -> None:
    profile: TenantProfile = people.acme.profile

    def write() -> None:
        profile.profile_data = {"configuration": {"type": "DEFAULT", **configuration}}
        profile.save()

    await from_database(write)


async def test_sockets_and_subscriptions_are_limited_by_the_tenant_profile(people: Cast) -> None:
    await limited(people, maxWsSessionsPerTenant=2, maxWsSessionsPerCustomer=1, maxWsSubscriptionsPerRegularUser=1)
    async with quick_web() as at:
        async with screen(at, people.bob) as one:
            assert await one.ask(cmdId=1, keys="t", **LATEST, **of(people.bobs_device)) == values(1)
            async with screen(at, people.bob) as second:
                assert await second.closed() == (1008, "Max customer sessions limit reached")
            async with screen(at, people.alice) as alice:
                await alice.silent(people.device)
                async with screen(at, people.alice) as third:
                    assert await third.closed() == (1008, "Max tenant sessions limit reached!")
            await one.say({"cmdId": 2, "keys": "t", **LATEST, **of(people.bobs_device)})
            assert await one.closed() == (1008, "Max regular user subscriptions limit reached")
        async with screen(at, people.bob) as one:  # places are given back
            assert await one.ask(cmdId=1, keys="t", **LATEST, **of(people.bobs_device)) == values(1)


async def test_updates_above_the_rate_are_said_once_and_the_last_value_is_shown(people: Cast) -> None:
    await limited(people, wsUpdatesPerSessionRateLimit="3:1")
    device = people.device
    async with quick_web() as at, screen(at, people.alice) as one:
        await one.ask(cmdId=1, keys="t", **LATEST, **of(device))
        for number in range(1, 40):
            await save(device, number, t=number)
        frames = await one.until(lambda frame: frame.get("data") == {"t": [[39, "39"]]})
        too_many = {"subscriptionId": 1, "errorCode": 34, "errorMsg": "Too many updates!"}
        assert frames.count(too_many) == 1 and len(frames) < 20


async def test_a_socket_has_a_bounded_number_of_subscriptions(people: Cast) -> None:
    async with quick_web(TB_WS_MAX_SUBSCRIPTIONS=2, TB_WS_MAX_WATCHED=1) as at, screen(at, people.alice) as one:
        for number in (1, 2):
            assert await one.ask(cmdId=number, keys="t", **LATEST, **of(people.device)) == values(number)
        third = await one.ask(cmdId=3, keys="t", **LATEST, **of(people.device))
        assert third == refusal(3, 2, "Too many subscriptions: a socket may have 2")
        await one.say({**LATEST, "cmdId": 1, "unsubscribe": True, **of(people.device)})
        full = await one.ask(cmdId=4, keys="t", **LATEST, **of(people.bobs_device))
        assert full == refusal(4, 1, "This server watches 1 entities already; it may watch no more.")
        assert (await one.ask(cmdId=5, keys="t", **LATEST, **of(people.device))) == values(5)


async def test_the_silent_are_asked_whether_they_live_and_the_dead_are_closed(people: Cast) -> None:
    async with (
        quick_web(TB_WS_PING_SECONDS=0.1, TB_WS_PONG_TIMEOUT=0.4) as at,
        screen(at, people.alice, ping_interval=None) as living,
        screen(at, people.alice, ping_interval=None) as dead,
    ):
        await living.silent(people.device)
        await dead.silent(people.device)
        dead.socket.protocol.send_frame = lambda frame: None  # type: ignore[method-assign]
        assert await dead.closed() == (4500, "No answer to a ping")
        await living.silent(people.device)


async def test_entities_of_nobody_are_refused_like_those_of_strangers(people: Cast) -> None:
    nobody = {"entityType": "DEVICE", "entityId": "11111111-1111-1111-1111-111111111111"}
    async with quick_web() as at, screen(at, people.alice) as one:
        for who in (nobody, of(people.foreign_device)):
            assert await one.ask(cmdId=1, keys="t", **LATEST, **who) == refusal(1, 1, "Failed to fetch data!")
            said = await one.ask(cmdId=2, type="ATTRIBUTES", **who)
            assert said == refusal(2, 1, "Failed to fetch attributes!")
            history = {"type": "TIMESERIES_HISTORY", "keys": "t", "startTs": 0, "endTs": 9, "cmdId": 3}
            assert await one.ask(**history, **who) == refusal(3, 1, "Failed to fetch data!")
        single = {"type": "singleEntity", "singleEntity": entity(people.foreign_device)}
        query = {"entityFilter": single, "pageLink": {"pageSize": 1, "page": 0}}
        said = await one.ask(type="ENTITY_DATA", cmdId=4, query=query)
        assert said["data"] == {"data": [], "totalPages": 0, "totalElements": 0, "hasNext": False}
