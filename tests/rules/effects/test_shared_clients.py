"""Connections that works share: one for each tenant and key, bounded, dropped when they break, closed at the end."""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

import pytest

from rules.effects.outside import OutsideWork, SystemSettings
from rules.effects.results import disconnect
from rules.effects.shared import SharedClients
from tenants.models import SystemSetting

ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


class Maker:
    """Makes numbers, and remembers which are closed."""

    def __init__(self) -> None:
        self.made: list[int] = []
        self.closed: list[int] = []
        self.fault: Exception | None = None

    async def make(self) -> int:
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        self.made.append(len(self.made))
        return self.made[-1]

    async def close(self, number: int) -> None:
        self.closed.append(number)


async def test_all_works_of_a_tenant_share_one_and_another_tenant_gets_his_own() -> None:
    clients, maker = SharedClients(8, 60.0), Maker()

    async def work(tenant: uuid.UUID) -> int:
        async with clients.use(tenant, "key", maker.make, maker.close) as number:
            await asyncio.sleep(0)
            return number

    found = await asyncio.gather(*[work(ONE) for _ in range(5)], *[work(TWO) for _ in range(5)])
    assert len(set(found[:5])) == len(set(found[5:])) == 1 and len(maker.made) == 2
    await clients.close()
    assert sorted(maker.closed) == [0, 1] and len(clients) == 0


async def test_one_that_breaks_is_dropped_when_its_last_user_leaves() -> None:
    clients, maker = SharedClients(8, 60.0), Maker()
    async with clients.use(ONE, "key", maker.make, maker.close) as first:
        with pytest.raises(ConnectionError):
            async with clients.use(ONE, "key", maker.make, maker.close):
                raise ConnectionError
        async with clients.use(ONE, "key", maker.make, maker.close) as second:
            assert (first, second) == (0, 1)
        assert maker.closed == []
    assert maker.closed == [0]


async def test_an_error_of_the_node_itself_keeps_it() -> None:
    clients, maker = SharedClients(8, 60.0), Maker()
    with pytest.raises(ValueError):
        async with clients.use(ONE, "key", maker.make, maker.close):
            raise ValueError
    async with clients.use(ONE, "key", maker.make, maker.close) as again:
        assert again == 0


async def test_one_that_cannot_be_made_is_tried_anew_by_the_next_work() -> None:
    clients, maker = SharedClients(8, 60.0), Maker()
    maker.fault = ValueError("no such host")
    with pytest.raises(ValueError, match="no such host"):
        async with clients.use(ONE, "key", maker.make, maker.close):
            pass
    maker.fault = None
    async with clients.use(ONE, "key", maker.make, maker.close) as number:
        assert number == 0
    await clients.close()
    assert len(clients) == 0


async def test_no_more_than_a_bounded_number_live_and_who_wants_one_more_waits() -> None:
    clients, maker = SharedClients(8, 60.0), Maker()
    async with AsyncExitStack() as used:
        for key in range(2):
            await used.enter_async_context(clients.use(ONE, key, maker.make, maker.close))
        third = asyncio.create_task(_use(clients, maker, ONE, 3))
        await _use(clients, maker, TWO, 0)  # another tenant has his own share
        assert not third.done()
    assert await asyncio.wait_for(third, 10) == 3
    assert len(clients) <= 3 and maker.closed == [0]  # that which nobody used for longest


async def test_one_that_nobody_uses_is_closed_after_a_while() -> None:
    clients, maker = SharedClients(8, 0.0), Maker()
    async with clients.use(ONE, "key", maker.make, maker.close):
        await clients.expire()
        assert maker.closed == []
    await clients.expire()
    assert maker.closed == [0]


async def _use(clients: SharedClients, maker: Maker, tenant: uuid.UUID, key: int) -> int:
    async with clients.use(tenant, key, maker.make, maker.close) as number:
        return number


@pytest.mark.django_db(transaction=True)
def test_settings_of_the_platform_are_read_and_missing_ones_are_told() -> None:
    SystemSetting.objects.create(key="mail", value={"smtpHost": "mail.example"})
    executor = ThreadPoolExecutor(1)

    async def ask() -> None:
        outside = OutsideWork(ONE, ONE, 1, SharedClients(8, 60.0), SystemSettings(executor))
        assert (await outside.system("mail"))["smtpHost"] == "mail.example"
        with pytest.raises(ValueError, match="no settings 'sms'"):
            await outside.system("sms")

    asyncio.run(ask())
    executor.submit(disconnect)
    executor.shutdown()
