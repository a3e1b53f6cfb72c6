"""ENTITY_DATA: pages of entities, their latest values and points; JSON to the letter."""

from typing import Any

from devices.models import Device
from devices.services.devices import DeviceFields, create_device
from telemetry.points import Scope
from tests.cast import Cast
from tests.telemetry.live.screen import entity, lose_the_bus, quick_web, refusal, save, save_attributes, screen
from tests.transports.mqtt.conftest import from_database

NAME = {"type": "ENTITY_FIELD", "key": "name"}
T = {"type": "TIME_SERIES", "key": "t"}


def single(device: Device, **more: Any) -> dict[str, Any]:
    return query({"type": "singleEntity", "singleEntity": entity(device)}, **more)


def several(*devices: Device, **more: Any) -> dict[str, Any]:
    ids = [str(each.pk) for each in devices]
    return query({"type": "entityList", "entityType": "DEVICE", "entityList": ids}, **more)


def query(entity_filter: dict[str, Any], link: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    page = {"pageSize": 10, "page": 0, **(link or {})}
    return {"entityFilter": entity_filter, "pageLink": page, "entityFields": [NAME], **more}


def frame(cmd_id: int, data: Any = None, update: Any = None) -> dict[str, Any]:
    head = {"cmdId": cmd_id, "errorCode": 0, "errorMsg": None, "cmdUpdateType": "ENTITY_DATA"}
    return {**head, "data": data, "update": update, "allowedEntities": 10_000}


def page(*rows: dict[str, Any], total: int | None = None, pages: int = 1, more: bool = False) -> dict[str, Any]:
    return {
        "data": list(rows),
        "totalPages": pages,
        "totalElements": len(rows) if total is None else total,
        "hasNext": more,
    }


def row(device: Device, latest: Any = None, timeseries: Any = None, aggregates: Any = None) -> dict[str, Any]:
    return {"entityId": entity(device), "latest": latest, "timeseries": timeseries, "aggLatest": aggregates}


def at(ts: int, value: str) -> dict[str, Any]:
    return {"ts": ts, "value": value}


async def test_a_page_comes_first_and_then_what_changed_of_its_latest_values(people: Cast) -> None:
    device = people.device
    await save(device, 1000, t=21)
    await save_attributes(device, Scope.SHARED, 7, color="red")
    color = {"type": "SHARED_ATTRIBUTE", "key": "color"}
    keys = [T, {"type": "TIME_SERIES", "key": "none"}, color, {"type": "ATTRIBUTE", "key": "color"}]
    async with quick_web() as door, screen(door, people.alice) as one:
        first = await one.ask(type="ENTITY_DATA", cmdId=3, query=single(device), latestCmd={"keys": keys})
        latest = {
            "ENTITY_FIELD": {"name": at(0, "Meter")},
            "TIME_SERIES": {"t": at(1000, "21"), "none": at(0, "")},
            "SHARED_ATTRIBUTE": {"color": at(7, "red")},
            "ATTRIBUTE": {"color": at(7, "red")},
        }
        assert first == frame(3, page(row(device, latest, {}, {})))
        await save(device, 900, t=1)
        await save(device, 2000, t=22, other=1)
        assert await one.hear() == frame(3, update=[row(device, {"TIME_SERIES": {"t": at(2000, "22")}})])
        await save_attributes(device, Scope.SHARED, 8, color="blue")
        blue = {"SHARED_ATTRIBUTE": {"color": at(8, "blue")}, "ATTRIBUTE": {"color": at(8, "blue")}}
        assert await one.hear() == frame(3, update=[row(device, blue)])


async def test_points_of_several_entities_come_first_and_then_every_new_one(people: Cast) -> None:
    meter, oven = people.device, people.bobs_device
    await save(meter, 1000, t=1)
    await save(meter, 2000, t=2)
    series = {"keys": ["t", "u"], "startTs": 500, "timeWindow": 60_000, "limit": 100, "agg": "NONE", "interval": 1000}
    order = {"sortOrder": {"key": NAME, "direction": "ASC"}}
    async with quick_web() as door, screen(door, people.alice) as one:
        first = await one.ask(type="ENTITY_DATA", cmdId=1, query=several(oven, meter, link=order), tsCmd=series)
        points = {"t": [at(2000, "2"), at(1000, "1")], "u": []}
        assert first == frame(
            1,
            page(
                row(meter, {"ENTITY_FIELD": {"name": at(0, "Meter")}}, points, {}),
                row(oven, {"ENTITY_FIELD": {"name": at(0, "Oven")}}, {"t": [], "u": []}, {}),
            ),
        )
        await save(oven, 3000, t=3, x=1)
        assert await one.hear() == frame(1, update=[row(oven, timeseries={"t": [at(3000, "3")]})])
        both = await one.ask(
            type="ENTITY_DATA", cmdId=2, query=single(meter), latestCmd={"keys": [T]}, tsCmd={**series, "keys": ["t"]}
        )
        assert both["data"]["data"][0]["latest"]["TIME_SERIES"] == {"t": at(2000, "2")}
        assert await one.hear() == frame(2, update=[row(meter, timeseries={"t": [at(2000, "2"), at(1000, "1")]})])


async def test_history_is_in_the_first_message(people: Cast) -> None:
    await save(people.device, 1000, t=1)
    await save(people.device, 3000, t=3)
    history = {"keys": ["t"], "startTs": 2000, "endTs": 9000, "fetchLatestPreviousPoint": True}
    async with quick_web() as door, screen(door, people.alice) as one:
        first = await one.ask(type="ENTITY_DATA", cmdId=1, query=single(people.device), historyCmd=history)
        assert first["data"]["data"][0]["timeseries"] == {"t": [at(3000, "3"), at(1000, "1")]}
        await save(people.device, 4000, t=4)
        await one.silent(people.device)


async def test_what_is_watched_of_a_page_can_be_changed_and_ended(people: Cast) -> None:
    device = people.device
    await save(device, 1000, t=1, u=2)
    u = {"type": "TIME_SERIES", "key": "u"}
    async with quick_web() as door, screen(door, people.alice) as one:
        await one.ask(type="ENTITY_DATA", cmdId=1, query=single(device), latestCmd={"keys": [T]})
        later = await one.ask(type="ENTITY_DATA", cmdId=1, latestCmd={"keys": [u]})
        assert later == frame(1, update=[row(device, {"TIME_SERIES": {"u": at(1000, "2")}})])
        await save(device, 2000, t=5, u=6)
        assert await one.hear() == frame(1, update=[row(device, {"TIME_SERIES": {"u": at(2000, "6")}})])
        series = {"keys": ["t"], "startTs": 0, "timeWindow": 9000}
        points = [at(2000, "5"), at(1000, "1")]
        assert await one.ask(type="ENTITY_DATA", cmdId=1, tsCmd=series) == frame(
            1, update=[row(device, timeseries={"t": points})]
        )
        await one.say({"type": "ENTITY_DATA_UNSUBSCRIBE", "cmdId": 1})
        await save(device, 3000, t=7, u=8)
        await one.silent(people.device)
        again = await one.ask(type="ENTITY_DATA", cmdId=1, latestCmd={"keys": [u]})
        assert again == refusal(1, 2, "Query is empty!")


async def test_keys_that_are_watched_no_more_are_not_told_of_when_everything_is_read_anew(people: Cast) -> None:
    device = people.device
    await save(device, 1000, t=1, u=2)
    async with quick_web() as door, screen(door, people.alice) as one:
        await one.ask(type="ENTITY_DATA", cmdId=1, query=single(device), latestCmd={"keys": [T]})
        await one.ask(type="ENTITY_DATA", cmdId=1, latestCmd={"keys": [{"type": "TIME_SERIES", "key": "u"}]})
        for n in (3, 4, 5):
            lose_the_bus()
            await save(device, 1000 + n, t=n, u=n)
            assert await one.hear() == frame(1, update=[row(device, {"TIME_SERIES": {"u": at(1000 + n, str(n))}})])


async def test_pages_are_searched_sorted_and_cut(people: Cast) -> None:
    made = [await from_database(create_device, people.acme.pk, DeviceFields(name=f"Tank {n}")) for n in range(3)]
    for number, device in enumerate(made):
        await save(device, 1, level=(5, 30, 4)[number])
    level = {"type": "TIME_SERIES", "key": "level"}
    async with quick_web() as door, screen(door, people.alice) as one:
        link = {"pageSize": 2, "textSearch": "tANK", "sortOrder": {"key": level, "direction": "DESC"}}
        asked = several(*made, people.device, link=link, latestValues=[level])
        first = await one.ask(type="ENTITY_DATA", cmdId=1, query=asked)
        names = [each["latest"]["ENTITY_FIELD"]["name"]["value"] for each in first["data"]["data"]]
        assert names == ["Tank 1", "Tank 0"]
        assert {**first["data"], "data": []} == {"data": [], "totalPages": 2, "totalElements": 3, "hasNext": True}
        asked["pageLink"]["page"] = 1
        second = await one.ask(type="ENTITY_DATA", cmdId=1, query=asked)
        assert [each["latest"]["TIME_SERIES"]["level"]["value"] for each in second["data"]["data"]] == ["4"]


async def test_what_is_not_available_yet_is_said(people: Cast) -> None:
    async with quick_web() as door, screen(door, people.alice) as one:
        filtered = query({"type": "deviceType", "deviceTypes": ["default"]})
        said = await one.ask(type="ENTITY_DATA", cmdId=1, query=filtered)
        assert said == refusal(
            1, 2, "The entity filter 'deviceType' is not available yet; expected singleEntity or entityList"
        )
        for member in ("aggHistoryCmd", "aggTsCmd"):
            said = await one.ask(type="ENTITY_DATA", cmdId=2, query=single(people.device), **{member: {"keys": [1]}})
            assert said == refusal(2, 2, f"'{member}' is not available yet")
        said = await one.ask(type="ENTITY_DATA", cmdId=3, query=single(people.device, keyFilters=[{}]))
        assert said == refusal(3, 2, "'keyFilters' are not available yet")
        for kind in ("ENTITY_COUNT", "ALARM_DATA", "ALARM_COUNT", "ALARM_STATUS", "NOTIFICATIONS"):
            said = await one.ask(type=kind, cmdId=4)
            assert said == refusal(4, 2, f"Commands of type {kind} are not available yet")
