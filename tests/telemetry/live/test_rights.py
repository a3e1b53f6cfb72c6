"""Nobody ever receives a frame that is not theirs: between tenants, and from the moment a right is withdrawn."""

from collections.abc import Callable
from typing import Any

import pytest

from devices.models import Device
from devices.services.devices import delete_device
from devices.services.groups import add_devices, create_device_group, delete_device_group, remove_devices
from devices.services.shares import share_with, withdraw_from
from tenants.services.groups import add_members, create_user_group, remove_members
from tenants.services.users import set_password
from tests.cast import Cast
from tests.telemetry.live.screen import entity, of, own_web, quick_web, refusal, save, screen, values
from tests.transports.mqtt.conftest import from_database
from thingsboard.kernel.entities import Action

LATEST = {"type": "TIMESERIES", "scope": "LATEST_TELEMETRY", "keys": "t"}
GONE = "The entity is not available to you any more."


async def test_two_tenants_never_hear_of_each_other(people: Cast) -> None:
    mine, theirs = people.device, people.foreign_device
    async with quick_web() as at, screen(at, people.alice) as alice, screen(at, people.gina) as gina:
        for who, own, other in ((alice, mine, theirs), (gina, theirs, mine)):
            assert await who.ask(cmdId=1, **LATEST, **of(own)) == values(1)
            assert (await who.ask(cmdId=2, **LATEST, **of(other)))["errorCode"] == 1
            both = {"type": "entityList", "entityType": "DEVICE", "entityList": [str(own.pk), str(other.pk)]}
            query = {"entityFilter": both, "pageLink": {"pageSize": 9, "page": 0}}
            page = await who.ask(type="ENTITY_DATA", cmdId=3, query=query, latestCmd={"keys": [T]})
            assert [row["entityId"] for row in page["data"]["data"]] == [entity(own)]
        for ts in range(1, 6):
            await save(mine, ts, t=f"mine {ts}")
            await save(theirs, ts, t=f"theirs {ts}")
        for who, word, device in ((alice, "mine", mine), (gina, "theirs", theirs)):
            heard = ""
            shown: dict[int, int] = {}
            while shown != {1: 5, 3: 5}:
                frame = await who.hear()
                heard += str(frame)
                if frame.get("cmdId"):
                    shown[3] = frame["update"][0]["latest"]["TIME_SERIES"]["t"]["ts"]
                else:
                    shown[1] = frame["data"]["t"][-1][0]
            assert word in heard and {"mine": "theirs", "theirs": "mine"}[word] not in heard
            await who.silent(device)


T = {"type": "TIME_SERIES", "key": "t"}


async def take_share(people: Cast) -> Callable[[], None]:
    await from_database(share_with, people.device, people.bob, Action.VIEW)
    return lambda: withdraw_from(people.device, people.bob)


async def take_group_of_devices(people: Cast) -> Callable[[], None]:
    group = await from_database(create_device_group, people.acme.pk, "Kitchen")
    await from_database(add_devices, group, [people.device.pk])
    await from_database(share_with, group, people.bob, Action.VIEW)
    return lambda: remove_devices(group, [people.device.pk])


async def take_shared_group(people: Cast) -> Callable[[], None]:
    group = await from_database(create_device_group, people.acme.pk, "Kitchen")
    await from_database(add_devices, group, [people.device.pk])
    await from_database(share_with, group, people.bob, Action.VIEW)
    return lambda: delete_device_group(group)


async def take_group_of_users(people: Cast) -> Callable[[], None]:
    group = await from_database(create_user_group, people.acme.pk, "Cooks")
    await from_database(add_members, group, [people.bob.pk])
    await from_database(share_with, people.device, group, Action.VIEW)
    return lambda: remove_members(group, [people.bob.pk])


async def take_assignment(people: Cast) -> Callable[[], None]:
    def assign(to: Any) -> None:
        device = Device.objects.get(pk=people.device.pk)
        device.customer = to
        device.save()

    await from_database(assign, people.bistro)
    return lambda: assign(None)


async def take_device(people: Cast) -> Callable[[], None]:
    await from_database(share_with, people.device, people.bob, Action.VIEW)
    return lambda: delete_device(Device.objects.get(pk=people.device.pk))


@pytest.mark.parametrize(
    "take", [take_share, take_group_of_devices, take_shared_group, take_group_of_users, take_assignment, take_device]
)
async def test_what_is_withdrawn_ends_at_once(people: Cast, take: Any) -> None:
    withdraw = await take(people)
    device = people.device
    async with own_web() as at, screen(at, people.bob) as bob:
        assert await bob.ask(cmdId=1, **LATEST, **of(device)) == values(1)
        points = {"type": "TIMESERIES", "keys": "t", "cmdId": 2}
        assert await bob.ask(**points, **of(device)) == values(2)
        both = {
            "type": "entityList",
            "entityType": "DEVICE",
            "entityList": [str(device.pk), str(people.bobs_device.pk)],
        }
        query = {"entityFilter": both, "pageLink": {"pageSize": 9, "page": 0}}
        page = await bob.ask(type="ENTITY_DATA", cmdId=3, query=query, latestCmd={"keys": [T]})
        assert page["data"]["totalElements"] == 2
        await save(device, 1, t="seen")
        for _ in range(3):
            assert "seen" in str(await bob.hear())
        await from_database(withdraw)
        frames = [await bob.hear() for _ in range(3)]
        assert [frame for frame in frames if "subscriptionId" in frame] == [refusal(1, 3, GONE), refusal(2, 3, GONE)]
        (page,) = [frame for frame in frames if "cmdId" in frame]
        assert [row["entityId"] for row in page["data"]["data"]] == [entity(people.bobs_device)]
        await save(device, 2, t="unseen")
        await save(people.bobs_device, 2, t="own")
        assert "own" in str(await bob.hear())
        await bob.silent(people.bobs_device)
        assert await bob.ask(cmdId=1, **LATEST, **of(device)) == refusal(1, 1, "Failed to fetch data!")


async def test_a_new_password_closes_the_sockets(people: Cast) -> None:
    async with quick_web() as at, screen(at, people.bob) as bob:
        await bob.ask(cmdId=1, **LATEST, **of(people.bobs_device))
        await from_database(set_password, people.bob, "another horse")
        assert (await bob.closed())[0] == 1008


async def test_what_was_changed_without_a_word_is_noticed_after_a_while(people: Cast) -> None:
    await from_database(share_with, people.device, people.bob, Action.VIEW)
    async with quick_web(TB_WS_RECHECK_SECONDS=0.1) as at, screen(at, people.bob) as bob:
        assert await bob.ask(cmdId=1, **LATEST, **of(people.device)) == values(1)
        shares = people.device.user_shares.all()
        await from_database(lambda: shares._raw_delete(shares.db))
        assert await bob.hear() == refusal(1, 3, GONE)
