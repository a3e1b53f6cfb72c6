"""ATTRIBUTES, TIMESERIES and TIMESERIES_HISTORY: what is sent first, what follows, and when it ends; JSON to the letter."""

from telemetry import services
from telemetry.points import Json, Scope
from tests.cast import Cast
from tests.telemetry.live.screen import dialled, of, quick_web, refusal, save, save_attributes, screen, token, values
from tests.transports.mqtt.conftest import from_database

LATEST = {"type": "TIMESERIES", "scope": "LATEST_TELEMETRY"}


async def test_latest_values_come_first_and_then_what_changes(people: Cast) -> None:
    device = people.device
    await save(device, 1000, t=21.5, on=True, n=7, big=2.5e9, word="yes", doc=Json('{"a":1}'))
    async with quick_web() as at, screen(at, people.alice) as one:
        assert await one.ask(cmdId=1, keys="t,on,n,big,word,doc,none", **LATEST, **of(device)) == values(
            1, big=[[1000, "2.5E9"]], doc=[[1000, '{"a":1}']], n=[[1000, "7"]], on=[[1000, "true"]], t=[[1000, "21.5"]],
            word=[[1000, "yes"]],
        )  # fmt: skip
        await save(device, 2000, t=22, other=1)
        assert await one.hear() == values(1, t=[[2000, "22"]])
        await save(device, 1500, t=99)  # older than what is shown
        await save(device, 2000, t=22)  # the same again
        await save(device, 3000, none="now")
        assert await one.hear() == values(1, none=[[3000, "now"]])


async def test_without_keys_all_latest_values_are_watched(people: Cast) -> None:
    async with quick_web() as at, screen(at, people.alice) as one:
        assert await one.ask(cmdId=4, keys="", **LATEST, **of(people.device)) == values(4)
        await save(people.device, 5000, a=1, b=2)
        assert await one.hear() == values(4, a=[[5000, "1"]], b=[[5000, "2"]])


async def test_deleted_values_are_said_to_be_gone(people: Cast) -> None:
    device = people.device
    await save(device, 1000, t=1, u=1)
    await save(device, 2000, t=2)
    await save_attributes(device, Scope.SHARED, 50, color="red", size=3)
    async with quick_web() as at, screen(at, people.alice) as one:
        await one.ask(cmdId=1, keys="t,u", **LATEST, **of(device))
        await one.ask(cmdId=2, type="ATTRIBUTES", scope="SHARED_SCOPE", **of(device))
        await from_database(services.delete_timeseries, device.pk, ["u"])
        assert await one.hear() == values(1, u=[[0, ""]])
        await from_database(
            lambda: services.delete_timeseries(device.pk, ["t"], start_ts=1500, end_ts=9000, rewrite_latest=True)
        )
        assert await one.hear() == values(1, t=[[1000, "1"]])
        await from_database(services.delete_attributes, device.pk, Scope.SHARED, ["color"])
        assert await one.hear() == values(2, color=[[0, ""]])
        await save(device, 500, u=5)  # older than what was deleted, and all there is
        assert await one.hear() == values(1, u=[[500, "5"]])


async def test_attributes_of_one_scope_and_of_any(people: Cast) -> None:
    device = people.device
    await save_attributes(device, Scope.SERVER, 10, limit=5)
    await save_attributes(device, Scope.CLIENT, 20, serial="A1")
    async with quick_web() as at, screen(at, people.alice) as one:
        server = await one.ask(cmdId=1, type="ATTRIBUTES", scope="SERVER_SCOPE", keys="limit,serial", **of(device))
        assert server == values(1, limit=[[10, "5"]])
        any_scope = await one.ask(cmdId=2, type="ATTRIBUTES", keys="limit,serial,color", **of(device))
        assert any_scope == values(2, limit=[[10, "5"]], serial=[[20, "A1"]])
        await save_attributes(device, Scope.SHARED, 30, color="red")
        assert await one.hear() == values(2, color=[[30, "red"]])
        await save_attributes(device, Scope.SERVER, 40, limit=6)
        assert sorted([await one.hear(), await one.hear()], key=lambda frame: frame["subscriptionId"]) == [
            values(1, limit=[[40, "6"]]),
            values(2, limit=[[40, "6"]]),
        ]


async def test_a_window_of_points_comes_first_and_then_every_point(people: Cast) -> None:
    device = people.device
    for ts in (1000, 2000, 3000, 4000):
        await save(device, ts, t=ts // 1000)
    window = {"startTs": 1000, "timeWindow": 60_000}
    async with quick_web() as at, screen(at, people.alice) as one:
        raw = await one.ask(type="TIMESERIES", cmdId=1, keys="t", limit=3, **window, **of(device))
        assert raw == values(1, t=[[4000, "4"], [3000, "3"], [2000, "2"]])
        means = {"agg": "AVG", "interval": 30_000}
        assert await one.ask(type="TIMESERIES", cmdId=2, keys="t", **means, **window, **of(device)) == values(
            2, t=[[16_000, "2.5"]]
        )
        await save(device, 2500, t=5)  # late, and a point all the same
        assert sorted([await one.hear(), await one.hear()], key=lambda frame: frame["subscriptionId"]) == [
            values(1, t=[[2500, "5"]]),
            values(2, t=[[2500, "5"]]),
        ]


async def test_history_is_answered_once(people: Cast) -> None:
    device = people.device
    for ts in (1000, 2000, 3000):
        await save(device, ts, a=ts, b="x")
    async with quick_web() as at, screen(at, people.alice) as one:
        asked = {"type": "TIMESERIES_HISTORY", "startTs": 1000, "endTs": 3000, **of(device)}
        assert await one.ask(cmdId=8, keys="a", **asked) == values(8, a=[[2000, "2000"], [1000, "1000"]])
        assert await one.ask(cmdId=9, keys="a,b", agg="COUNT", interval=2000, **asked) == values(
            9, a=[[2000, "2"]], b=[[2000, "2"]]
        )
        assert await one.ask(cmdId=10, **asked) == refusal(10, 2, "Keys are empty!")
        too_many = await one.ask(**{**asked, "cmdId": 11, "keys": "a", "agg": "SUM", "interval": 1, "endTs": 9000})
        assert (too_many["errorCode"], too_many["data"]) == (2, None)
        assert too_many["errorMsg"].startswith("Incorrect TsKvQuery. Number of intervals is to high - 8000.")
        await save(device, 2500, a=1)
        await one.silent(people.device)


async def test_an_unsubscribed_command_says_nothing_more(people: Cast) -> None:
    device = people.device
    async with quick_web() as at, screen(at, people.alice) as one:
        for number in (1, 2, 3):
            await one.ask(cmdId=number, keys="t", **LATEST, **of(device))
        await one.say({"type": "TIMESERIES", "cmdId": 1, "unsubscribe": True, **of(device)})
        await save(device, 1000, t=1)
        assert {frame["subscriptionId"] for frame in (await one.hear(), await one.hear())} == {2, 3}
        await one.say({"type": "ATTRIBUTES", "cmdId": 77, "unsubscribe": True, "entityType": "DEVICE", "entityId": ""})
        await one.silent(people.device)
        await save(device, 2000, t=2)
        await one.silent(people.device)


async def test_the_same_id_again_replaces_the_subscription(people: Cast) -> None:
    async with quick_web() as at, screen(at, people.alice) as one:
        await one.ask(cmdId=1, keys="a", **LATEST, **of(people.device))
        await one.ask(cmdId=1, keys="b", **LATEST, **of(people.device))
        await save(people.device, 1000, a=1, b=2)
        assert await one.hear() == values(1, b=[[1000, "2"]])
        await one.silent(people.device)


async def test_the_older_form_has_a_list_for_each_kind(people: Cast) -> None:
    device = people.device
    await save(device, 1000, t=1)
    await save_attributes(device, Scope.SERVER, 5, limit=9)
    async with quick_web() as at:
        path = f"/api/ws/plugins/telemetry?token={await token(people.alice)}"
        async with dialled(at, path) as one:
            await one.socket.send(
                f'{{"tsSubCmds":[{{"entityType":"DEVICE","entityId":"{device.pk}","scope":"LATEST_TELEMETRY","cmdId":10}}],'
                f'"historyCmds":[{{"entityType":"DEVICE","entityId":"{device.pk}","keys":"t","startTs":0,"endTs":2000,'
                f'"cmdId":12}}],"attrSubCmds":[{{"entityType":"DEVICE","entityId":"{device.pk}","keys":"limit","cmdId":11}}]}}'
            )
            frames = [await one.hear() for _ in range(3)]
            assert sorted(frames, key=lambda frame: frame["subscriptionId"]) == [
                values(10, t=[[1000, "1"]]),
                values(11, limit=[[5, "9"]]),
                values(12, t=[[1000, "1"]]),
            ]
            await save(device, 2000, t=2)
            assert await one.hear() == values(10, t=[[2000, "2"]])
